package account

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"coatcheck/upstream/mapping"
)

func TestLoginBodies(t *testing.T) {
	good := []string{`{"email":"a","password":"b"}`, ` {"password":"b", "email":"a"} ` + "\n", `{"email":"\u0061","password":"\ud83d\ude00"}`, `{"email":"a","password":"\\ud800"}`, `{"email":"a","password":"�"}`}
	for _, b := range good {
		if got, ok := parseLogin([]byte(b)); !ok || undeclared(got, []string{"email", "password"}) != nil {
			t.Errorf("%s refused", b)
		}
	}
	for _, row := range []struct {
		body string
		good bool
	}{
		{`{"email":"a","remember":true,"pin":-1.50e3}`, true}, {`{"email":"a","remember":false,"pin":0}`, true}, {`{"email":"a","pin":12345678901234567890123}`, true},
		{`{"email":"a","remember":"true","pin":1}`, false}, {`{"email":"a","remember":1,"pin":1}`, false}, {`{"email":"a","pin":"1"}`, false}, {`{"email":"a","pin":true}`, false},
		{`{"email":true,"pin":1}`, false}, {`{"email":"a","remember":null,"pin":1}`, false}, {`{"email":"a","pin":01}`, false}, {`{"email":"a","pin":"\u00001"}`, false}, {`{"email":"a"}`, false},
	} {
		got, ok := parseLogin([]byte(row.body))
		if passed := ok && undeclared(got, []string{"email", "remember?: bool", "pin: number"}) == nil; passed != row.good {
			t.Errorf("%s: %v", row.body, passed)
		}
	}
	bad := []string{``, `null`, `[]`, `"a"`, `{}`, `{"email":"a"}`, `{"email":"a","password":""}`, `{"email":"a","password":null}`, `{"email":"a","password":1}`, `{"email":"a","password":["b"]}`,
		`{"email":"a","password":{"b":"c"}}`, `{"email":"a","password":"b","x":"y"}`, `{"email":"a","email":"a","password":"b"}`, `{"email":"a","password":"b","password":"c"}`,
		`{"Email":"a","password":"b"}`, `{"email":"a","paſſword":"b"}`, `{"email":"a","password":"b"}x`, `{"email":"a","password":"b"}{}`, `{"email":"a","password":"b",}`,
		"\xef\xbb\xbf" + `{"email":"a","password":"b"}`, "{\"email\":\"a\",\"password\":\"\xff\"}", `{"email":"a","password":"b\u0000"}`, `{"email":"a","password":"\ud800"}`, `{"email":"a","password":"\udc00"}`,
		`{"email":"a","password":"\ud800\u0041"}`, `{"email":"a" "password":"b"}`, `{"email":"a","password":"b"`, "{\"email\":\"a\",\"password\":\"b\n\"}", `{'email':'a','password':'b'}`}
	for _, b := range bad {
		if got, ok := parseLogin([]byte(b)); ok && undeclared(got, []string{"email", "password"}) == nil {
			t.Errorf("%s passed", b)
		}
	}
}

// FuzzLogin: what passes is read the same way by the standard decoder, to the letter.
func FuzzLogin(f *testing.F) {
	f.Add([]byte(`{"email":"a","password":"b"}`))
	f.Add([]byte(`{"email":"a","remember":false,"pin":1.50}`))
	f.Add([]byte(`{"email":"\ud83d\ude00","password":"\\"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		fields, ok := parseLogin(b)
		if !ok {
			return
		}
		var plain map[string]any
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&plain); err != nil || len(plain) != len(fields) {
			t.Fatalf("%q: %v", b, err)
		}
		for name, is := range plain {
			value, isText := is.(string)
			if !isText {
				if got, typed := mapping.FieldJSON(fields[name]); !typed || got != fmt.Sprint(is) {
					t.Fatalf("%q: field differs", b)
				}
				continue
			}
			if fields[name].Reveal() != value || value == "" || strings.IndexByte(value, 0) >= 0 {
				t.Fatalf("%q: field differs", b)
			}
			if strings.ContainsRune(value, '\uFFFD') && !strings.ContainsRune(string(b), '\uFFFD') && !strings.Contains(strings.ToLower(string(b)), `\ufffd`) {
				t.Fatalf("%q: the decoder changed a value", b)
			}
		}
	})
}
