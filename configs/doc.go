// Package configs is the operator's configuration as Go types, what derives from
// them, and what is said about a file that is wrong.
//
// Rooms below this folder have the rest:
//
//	read      a file or a text → a [Config]: everything that is wrong is said at
//	          once, defaults are filled in. Everybody begins there
//	check     what cannot work is refused, what is unwise is warned of
//	rule      the rules for single texts: origins, hosts, paths, stores
//	keypath   paths of keys, such as frontends.shop.routes[0].path
//
// The tags (yaml, default, enum, min, max, required, restart, like) are the one source for the
// decoder, for the JSON Schema that editors use ([Schema], kept in
// coatcheck.schema.json) and for the reference.
//
// # What others can rely on
//
// A [Config] that package read returned is immutable and has no holes: no nil in a list
// or map, every named upstream there, every path clean, every URL absolute and
// without a trailing slash, file names absolute or relative to the working
// folder. Where the lack of a value means something it stays as the file has it,
// and a method gives the effective one: [Upstream.SendHeaders],
// [User.SubjectPointer]. Derived facts have methods too: [Frontend.Hosts],
// [Frontend.SharedHost], [Frontend.IsHTTPS], [FrontendLogin.FieldNames].
//
// # What a fault says
//
// A [Fault] has a file, a line, a key path, the reason and a hint. It never holds
// the value of a variable, of a file, or of a secret, whatever is wrong with it.
//
// # Shipped files
//
// minimal.yaml is the least that works, example.yaml shows everything, apis/ has
// one file for each API that is known to work, providers/ one for each provider,
// demo.yaml is what `coatcheck demo` runs. Tests load all of them; testdata/bad holds files with the faults that
// they must lead to.
package configs

//go:generate go -C schema test -run "TestSchemaIsUpToDate|TestReferenceIsUpToDate" . -update
