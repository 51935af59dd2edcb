package mapping_test

import (
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// extractAt extracts what a pointer finds in a body.
func extractAt(pointer string, body []byte) (v any, found bool, err error) {
	p := mapping.Place{Pointer: pointer}
	if err := mapping.Join(p.Faults()); err != nil {
		return nil, false, err
	}
	v, found = p.Extract(mapping.NewResponse(200, nil, body))
	return v, found, nil
}

var api, _ = upstream.ParseURL("https://api.example.net/base")

// fill fills in a template with one value for every name, as a header's, and says what
// the template's own text is.
func fill(text string, v credential.Secret, fromAPI bool) (filled string, names []string, own string, err error) {
	t := mapping.NewTemplate(text)
	from := &mapping.Values{Fields: map[string]credential.Secret{}, Kept: map[string]credential.Secret{}}
	t.Parts(func(constant credential.Secret, name string) {
		own += constant.Reveal()
		if fromAPI {
			from.Kept[name] = v
		} else {
			from.Fields[name] = v
		}
	})
	r := &mapping.Request{Method: "GET", Path: "/x", Headers: map[string]mapping.Template{"X": t}}
	got, err := r.Fill(api, "", mapping.Send{}, from)
	if err != nil {
		return "", t.Names(), own, err
	}
	if lines, ok := got.Header["X"]; ok {
		return lines[0], t.Names(), own, nil
	}
	return "", t.Names(), own, errors.New("left out")
}

// givenPath is what becomes of a path that an API gave, at a host of its own.
func givenPath(path string) (string, error) {
	r := &mapping.Request{Method: "GET", Path: "{path}"}
	got, err := r.Fill(api, "", mapping.Send{}, &mapping.Values{Kept: map[string]credential.Secret{"path": credential.NewSecret(path)}})
	if err != nil {
		return "", err
	}
	return strings.TrimPrefix(got.URL, api.Origin()), nil
}

// A pointer made of an answer's own keys finds what stands there, and no pointer
// finds what is not there.
func FuzzPlace(f *testing.F) {
	f.Add("/a/b", "", []byte(`{"a":{"b":1}}`))
	f.Add("", "x~/y", []byte(`{"x~/y":[1,{"":2}]}`))
	f.Add("/0/-", "~01", []byte(`[[null]]`))
	f.Add("/01", "", []byte(`[1,2]`))
	f.Add("a", "", []byte(`7|abc`))
	f.Add("/~2", "", []byte("\xef\xbb\xbf{}"))
	f.Fuzz(func(t *testing.T, pointer, key string, body []byte) {
		v, found, err := extractAt(pointer, body)
		if err == nil && pointer != "" && pointer[0] != '/' || err != nil && (v != nil || found) {
			t.Fatalf("%q: %v %v", pointer, v, err)
		}
		whole, _, _ := extractAt("", body)
		if pointer == "" && !reflect.DeepEqual(v, whole) {
			t.Fatal("the empty pointer is the whole body")
		}
		object, _ := whole.(map[string]any)
		escaped := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		got, there, err := extractAt(escaped, body)
		want, is := object[key]
		if list, isList := whole.([]any); isList && there {
			if !slices.ContainsFunc(list, func(x any) bool { return reflect.DeepEqual(x, got) }) {
				t.Fatal("an index found what is not in the list")
			}
			return
		}
		if err != nil || there != is || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %v %v, want %v", escaped, got, err, want)
		}
	})
}

// A filled template is its own text with the value in the places of its names, and
// a value never ends the header it is put into.
func FuzzTemplate(f *testing.F) {
	f.Add("Bearer {access_token}", "abc", true)
	f.Add("{a}{b}{", "x y", false)
	f.Add("{\"a\": {b-c}}", "\r\n", false)
	f.Add("{{a}} {1} {é}", "\x01[1]", true)
	f.Add("{a}", "\x000", false)
	f.Add("a{{b}{{{c}}{{", "v", true)
	f.Fuzz(func(t *testing.T, text, v string, fromAPI bool) {
		filled, names, own, err := fill(text, credential.NewSecret(v), fromAPI)
		if plain := strings.ReplaceAll(text, "{{", "{"); len(names) == 0 && (filled != plain || own != plain || err != nil) {
			t.Fatalf("%q became %q", text, filled)
		}
		// What is a value of the file's, a secret say, can be written so that it stands for itself.
		if got, none, _, err := fill("x"+strings.ReplaceAll(text, "{", "{{"), credential.Secret{}, fromAPI); got != "x"+text || none != nil || err != nil {
			t.Fatalf("%q, written to stand for itself, became %q", text, got)
		}
		builtIn := slices.ContainsFunc(names, func(n string) bool { return n == "client_address" || n == "user_agent" || n == "request_id" })
		typed := strings.HasPrefix(v, "\x01") || !fromAPI && strings.HasPrefix(v, "\x00") // put as their text
		if err != nil || builtIn || typed {
			return
		}
		if len(filled) != len(own)+len(names)*len(v) {
			t.Fatalf("%q with %q became %q", text, v, filled)
		}
		if strings.ContainsAny(v, "\r\n\x00") && len(names) > 0 {
			t.Fatalf("%q was put", v)
		}
	})
}

// A path that an API gives never leaves the upstream's base, as any reader sees it.
func FuzzGivenPath(f *testing.F) {
	for _, path := range []string{"/users/5", "//evil.test", "/%2e%2e/x", "https://api.example.net/base/x", "/a/..;x/b", "/base/../x", `/\evil.test`, "/a?b#c"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, given string) {
		path, err := givenPath(given)
		if err != nil {
			return
		}
		at, err := url.Parse("https://api.example.net" + path)
		if err != nil || at.Host != "api.example.net" || at.Fragment != "" || at.User != nil {
			t.Fatalf("%q leads to %q", given, path)
		}
		clean := at.JoinPath().Path
		if clean != "/base" && !strings.HasPrefix(clean, "/base/") && clean != "/base/" {
			t.Fatalf("%q leads to %q, that is %q", given, path, clean)
		}
	})
}
