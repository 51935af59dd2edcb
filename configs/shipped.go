package configs

import (
	"embed"
)

//go:embed demo.yaml
var demo []byte

//go:embed coatcheck.schema.json
var schema []byte

//go:embed apis/*.yaml
var apis embed.FS

//go:embed providers/*.yaml
var readyProviders embed.FS

// ReadyProvider returns the ready-made configuration of a provider, by its file's name
// without ".yaml"; false where there is none.
func ReadyProvider(name string) ([]byte, bool) {
	text, err := readyProviders.ReadFile("providers/" + name + ".yaml")
	return text, err == nil
}

// API returns the ready-made configuration of an API, by its file's name without
// ".yaml"; false where there is none.
func API(name string) ([]byte, bool) {
	text, err := apis.ReadFile("apis/" + name + ".yaml")
	return text, err == nil
}

// Demo returns the configuration of `coatcheck demo`. It needs the variables
// that its comment names.
func Demo() []byte { return append([]byte(nil), demo...) }

// Schema returns the JSON Schema (draft 2020-12) of a configuration file. It is
// made from the Go types of this package: package read refuses what it refuses, and more.
func Schema() []byte { return append([]byte(nil), schema...) }
