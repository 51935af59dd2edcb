package configs_test

import (
	"reflect"

	"coatcheck/configs/configtest"
	"coatcheck/upstream/mapping"
)

// isSection reports whether a type has keys of its own.
func isSection(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[mapping.Template](), reflect.TypeFor[mapping.Body](), reflect.TypeFor[mapping.Match]():
		return false
	}
	return t.Kind() == reflect.Struct && isOurs(t)
}

// What the tests of the schema use as well.
var (
	example, parse   = configtest.Example, configtest.Parse
	sections, isOurs = configtest.Sections, configtest.IsOurs
	environment      = configtest.Environment
)
