package mapping_test

import (
	"encoding/json"
	"testing"

	"coatcheck/upstream/mapping"
)

// What is exposed of a person, in whatever order it is listed, and nothing else.
func TestExposed(t *testing.T) {
	const user = `{"id":7.0,"realm_access":{"roles":["a"],"secret":1,"deep":{"x":1,"y":2}},"a/b":{"~c":null},"list":[{"x":1}],"text":"t","none":null,"/odd":1,"a.b":2,"":3}`
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(user), &all); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		expose []string
		want   string
	}{
		{[]string{"id", "nobody"}, `{"id":7.0}`},
		{[]string{"/id"}, `{"id":7.0}`},
		{[]string{"/realm_access/roles"}, `{"realm_access":{"roles":["a"]}}`},
		{[]string{"/realm_access/roles", "/realm_access/deep/x"}, `{"realm_access":{"deep":{"x":1},"roles":["a"]}}`},
		{[]string{"/realm_access/deep/x", "/realm_access/deep"}, `{"realm_access":{"deep":{"x":1,"y":2}}}`},
		{[]string{"/realm_access/deep", "/realm_access/deep/x"}, `{"realm_access":{"deep":{"x":1,"y":2}}}`},
		{[]string{"realm_access", "/realm_access/roles"}, `{"realm_access":{"roles":["a"],"secret":1,"deep":{"x":1,"y":2}}}`},
		{[]string{"/realm_access/nobody/x", "/realm_access/deep/z", "/text/x", "/none/x", "/list/0", "/nobody/x"}, `{}`},
		{[]string{"/a~1b/~0c", "a.b", "/~1odd", "/"}, `{"":3,"/odd":1,"a.b":2,"a/b":{"~c":null}}`},
		{nil, `{}`},
	} {
		got, err := json.Marshal(mapping.Exposed(all, row.expose))
		if err != nil || string(got) != row.want {
			t.Errorf("%v: %s %v, want %s", row.expose, got, err, row.want)
		}
	}
	if again, err := json.Marshal(mapping.Exposed(nil, []string{"/a/b"})); err != nil || string(again) != "{}" {
		t.Errorf("nobody: %s", again)
	}
}
