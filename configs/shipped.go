package configs

import _ "embed"

//go:embed demo.yaml
var demo []byte

//go:embed coatcheck.schema.json
var schema []byte

// Demo returns the configuration of `coatcheck demo`. It needs the variables
// that its comment names.
func Demo() []byte { return append([]byte(nil), demo...) }

// Schema returns the JSON Schema (draft 2020-12) of a configuration file. It is
// made from the Go types of this package: [Load] refuses what it refuses, and more.
func Schema() []byte { return append([]byte(nil), schema...) }
