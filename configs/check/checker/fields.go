package checker

import (
	"slices"

	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/upstream/mapping"
)

// AccountField checks the first field, by which failed sign-ins are counted.
func (ck *Checker) AccountField(path string, fields []string) {
	if len(fields) == 0 {
		return
	}
	_, optional := configs.FieldName(fields[0])
	switch kind, _ := configs.FieldKind(fields[0]); {
	case optional:
		ck.Refuse(keypath.Item(path, 0), "the first field names the account, so it cannot be optional", "")
	case kind != configs.TextField:
		ck.Refuse(keypath.Item(path, 0), "the first field names the account, so it must be text", "")
	}
}

// Fields checks the names that a page posts.
func (ck *Checker) Fields(path string, fields []string) {
	var seen []string
	for i, declared := range fields {
		name, _ := configs.FieldName(declared)
		_, isKind := configs.FieldKind(declared)
		at := keypath.Item(path, i)
		switch {
		case declared == "" || !mapping.IsName(name):
			ck.Refuse(at, "a field name has letters, digits, \"_\" and \"-\", and ends with \"?\" if it is optional", "")
		case !isKind:
			ck.Refuse(at, "unknown kind of field", `text, bool or number: "remember?: bool"`)
		case name == "step" || mapping.IsBuiltIn(name):
			ck.Refuse(at, "reserved name", "")
		case slices.Contains(seen, name):
			ck.Refuse(at, "duplicate field", "")
		}
		seen = append(seen, name)
	}
}
