package configs_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// needRestart are the keys that a reload refuses to change. All others take effect.
var needRestart = []string{"listen", "tls", "admin.listen", "sessions.store", "sessions.prefix"}

// TestReloadOfEveryKey walks every key of the configuration: a change of it is refused
// at a reload, or is not, and the reference says so.
func TestReloadOfEveryKey(t *testing.T) {
	seen, refused := 0, []string{}
	for _, key := range allKeys(reflect.TypeFor[configs.Config](), "", nil) {
		running, next := filled(t), filled(t)
		if got := configs.NeedRestart(running, next); got != nil {
			t.Fatalf("equal configurations differ in %q", got)
		}
		if !change(reflect.ValueOf(next).Elem(), key.index) {
			continue // a notation of the mapping language, below upstreams
		}
		seen++
		got := configs.NeedRestart(running, next)
		switch {
		case len(got) == 0:
			t.Logf("%-50s takes effect", key.path)
		case len(got) == 1 && (got[0] == key.path || strings.HasPrefix(key.path, got[0]+".")):
			t.Logf("%-50s refused", key.path)
			refused = append(refused, got[0])
		default:
			t.Errorf("%s: a change is reported as one of %q", key.path, got)
		}
	}
	if refused = slices.Compact(refused); !slices.Equal(refused, needRestart) {
		t.Errorf("refused are %q, not %q", refused, needRestart)
	}
	if seen < 60 {
		t.Errorf("only %d keys were walked", seen)
	}
}

// TestReferenceTellsOfRestarts: a key's text says that a change needs a restart if, and
// only if, one does.
func TestReferenceTellsOfRestarts(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Description string }
		Defs       map[string]struct {
			Properties map[string]struct{ Description string }
		} `json:"$defs"`
	}
	if err := json.Unmarshal(configs.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	for name, section := range sections() {
		properties := schema.Defs[name].Properties
		if name == "Config" {
			properties = schema.Properties
		}
		for i := range section.NumField() {
			f := section.Field(i)
			text := properties[f.Tag.Get("yaml")].Description
			if says := strings.Contains(text, "A change needs a restart"); says != (f.Tag.Get("restart") == "true") {
				t.Errorf("%s.%s: the text and the tag disagree: %q", name, f.Name, text)
			}
		}
	}
}

type keyOf struct {
	path  string
	index []int // of the field, section by section
}

func allKeys(section reflect.Type, path string, index []int) (keys []keyOf) {
	for i := range section.NumField() {
		f := section.Field(i)
		name := f.Tag.Get("yaml")
		if name == "-" {
			continue
		}
		here := keyOf{strings.TrimPrefix(path+"."+name, "."), append(slices.Clone(index), i)}
		if f.Anonymous {
			here.path = path
		}
		inner := f.Type
		for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map {
			inner = inner.Elem()
		}
		if isSection(inner) {
			keys = append(keys, allKeys(inner, here.path, here.index)...)
		} else {
			keys = append(keys, here)
		}
	}
	return keys
}

// filled is a configuration with one of everything.
func filled(t *testing.T) *configs.Config {
	t.Helper()
	c := new(configs.Config)
	fill(reflect.ValueOf(c).Elem())
	return c
}

func fill(v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer && v.CanSet() && v.Type() != reflect.TypeFor[*configs.Source]():
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice && v.CanSet():
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Map && v.CanSet():
		each := reflect.New(v.Type().Elem()).Elem()
		fill(each)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("name").Convert(v.Type().Key()), each)
	case isSection(v.Type()):
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// change gives the value at index another one; false where this test knows none.
func change(v reflect.Value, index []int) bool {
	switch {
	case v.Kind() == reflect.Pointer, v.Kind() == reflect.Slice && len(index) > 0:
		if v.Kind() == reflect.Slice {
			return change(v.Index(0), index)
		}
		return change(v.Elem(), index)
	case v.Kind() == reflect.Map && len(index) > 0:
		key := v.MapKeys()[0]
		each := reflect.New(v.Type().Elem()).Elem()
		each.Set(v.MapIndex(key))
		changed := change(each, index)
		v.SetMapIndex(key, each)
		return changed
	case len(index) > 0:
		return change(v.Field(index[0]), index[1:])
	}
	switch v.Interface().(type) {
	case credential.Secret:
		v.Set(reflect.ValueOf(credential.NewSecret("another")))
		return true
	case netip.Prefix:
		v.Set(reflect.ValueOf(netip.MustParsePrefix("192.0.2.0/24")))
		return true
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("another")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Slice, reflect.Map:
		v.SetZero()
	default:
		return false
	}
	return true
}
