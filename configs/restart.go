package configs

import (
	"reflect"

	"coatcheck/configs/keypath"
)

// NeedRestart names the keys that differ between two configurations and that a running
// process cannot change, in the order of the reference. They carry the tag `restart`;
// every other key takes effect at a reload.
func NeedRestart(running, next *Config) []string {
	return fixedKeys("", reflect.ValueOf(running).Elem(), reflect.ValueOf(next).Elem())
}

// fixedKeys compares the tagged fields of two sections. Sections that are optional or
// stand in a list or a map hold no tagged field of their own.
func fixedKeys(path string, running, next reflect.Value) (changed []string) {
	for i := range running.NumField() {
		f := running.Type().Field(i)
		key := keypath.Child(path, f.Tag.Get("yaml"))
		if f.Anonymous { // its keys stand among the section's own
			key = path
		}
		switch {
		case f.Tag.Get("restart") == "true":
			if !reflect.DeepEqual(running.Field(i).Interface(), next.Field(i).Interface()) {
				changed = append(changed, key)
			}
		case f.Type.Kind() == reflect.Struct:
			changed = append(changed, fixedKeys(key, running.Field(i), next.Field(i))...)
		}
	}
	return changed
}
