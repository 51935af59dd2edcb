// Package configs speaks to the operator's files: it reads a configuration,
// says everything that is wrong with it at once, and fills in what follows.
//
// [Load] is the whole of it. A file goes through five stages, which begin in these
// files of this package:
//
//	document.go, tree.go   YAML text → a tree of our own, with places; bounded
//	                       in size and depth, anchors and merge keys resolved
//	decode.go, scalar.go   the tree → the Go types of config.go and mapping.go,
//	                       by their tags; unknown and missing keys, wrong types
//	expand.go              ${NAME} and ${file:PATH} in values, while decoding: after
//	                       parsing, so that no value can become structure, and once
//	derive.go              defaults that depend on something else
//	check.go               what cannot work is refused, what is unwise is warned of
//
// The tags (yaml, default, enum, min, max, required, restart, like) are the one source for the
// decoder, for the JSON Schema that editors use ([Schema], kept in
// coatcheck.schema.json) and for the reference.
//
// # What others can rely on
//
// A [Config] that Load returned is immutable and has no holes: no nil in a list
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
// one file for each API that is known to work, demo.yaml is what `coatcheck demo`
// runs. Tests load all of them; testdata/bad holds files with the faults that
// they must lead to.
package configs

//go:generate go -C schema test -run "TestSchemaIsUpToDate|TestReferenceIsUpToDate" . -update
