package signin_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/signin"
)

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
		v, found, err := signin.TakeAt(pointer, body)
		if err == nil && pointer != "" && pointer[0] != '/' || err != nil && (v != nil || found) {
			t.Fatalf("%q: %v %v", pointer, v, err)
		}
		whole, _, _ := signin.TakeAt("", body)
		if pointer == "" && !reflect.DeepEqual(v, whole) {
			t.Fatal("the empty pointer is the whole body")
		}
		object, _ := whole.(map[string]any)
		escaped := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		got, there, err := signin.TakeAt(escaped, body)
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

const fuzzedMapping = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, refresh_token: {cookie: r}, expires_in: /e, expires_at: {at: /x, unit: ms}, refresh_expires_in: /re, own: {header: Own}, o: /o}
  user: {at: /user}
  rejected: [401]
  answers: [{at: /code, is: ["a*", 5, null, "*b*"], means: invalid_credentials}, {status: 422, at: /errors, means: invalid_fields}, {at: /slow, means: too_many_attempts}]
send: {headers: {Authorization: "Bearer {access_token}", Own: "{own}"}}
`

// Whatever an API answers: no panic; success only with a token that can be sent,
// and never a line that somebody else wrote.
func FuzzAnswer(f *testing.F) {
	f.Add(200, "r=1; Path=/", "own", []byte(`{"token":"a","e":60,"user":{"id":1}}`))
	f.Add(200, "r=1", "a;b", []byte(`{"token":"a","x":1e13,"user":{"id":"u","token":"a"},"o":[1]}`))
	f.Add(422, "", "", []byte(`{"errors":{"email":1}}`))
	f.Add(429, "", "60", []byte(`{"slow":1}`))
	f.Add(200, `r="q"`, "", []byte(`{"code":null}`))
	f.Add(200, "", "", []byte(`{"token":"`+jwt(`{"exp":1e99}`)+`","user":{"id":{}}}`))
	cfg := parseMapping(f, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(fuzzedMapping), "\n", "\n  "))
	u := newSet(f, cfg).Get("api")
	f.Fuzz(func(t *testing.T, status int, cookie, header string, body []byte) {
		h := http.Header{"Set-Cookie": {cookie}, "Own": {header}, "Retry-After": {header}}
		in, err := u.ReadSignIn(status, h, body, now)
		var refusal *signin.Refusal
		if err != nil {
			if in != nil || !errors.As(err, &refusal) && !errors.Is(err, upstream.ErrInvalid) {
				t.Fatalf("%v beside %v", in, err)
			}
			if refusal != nil && (refusal.RetryAfter < 0 || refusal.RetryAfter > 24*time.Hour) {
				t.Fatalf("wait %v", refusal.RetryAfter)
			}
			return
		}
		checkSignedIn(t, u, in)
	})
}

func checkSignedIn(t *testing.T, u *signin.Upstream, in *signin.SignedIn) {
	t.Helper()
	c := in.Credential
	if c.Value(credential.AccessToken).IsEmpty() || !c.Expires.IsZero() && !c.Expires.After(now) {
		t.Fatal("signed in with nothing to show")
	}
	lines := string(u.AppendSend(nil, c, signin.Caller{}))
	for line := range strings.SplitSeq(strings.TrimSuffix(lines, "\r\n"), "\r\n") {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || name != "Authorization" && name != "Own" || strings.ContainsAny(value, "\r\n\x00;,\"<") {
			t.Fatalf("sends %q", lines)
		}
	}
	if !strings.HasPrefix(lines, "Authorization: Bearer ") || !json.Valid(in.UserJSON()) {
		t.Fatalf("sends %q for %s", lines, in.UserJSON())
	}
	if token := c.Value(credential.AccessToken).Reveal(); len(token) > 8 && strings.Contains(string(in.UserJSON()), `:"`+token+`"`) {
		t.Fatal("the user holds the token")
	}
}

// A filled template is its own text with the value in the places of its names, and
// a value never ends the header it is put into.
func FuzzTemplate(f *testing.F) {
	f.Add("Bearer {access_token}", "abc", true)
	f.Add("{a}{b}{", "x y", false)
	f.Add("{\"a\": {b-c}}", "\r\n", false)
	f.Add("{{a}} {1} {é}", "\x01[1]", true)
	f.Fuzz(func(t *testing.T, text, v string, taken bool) {
		filled, names, own, err := signin.Fill(text, credential.NewSecret(v), taken)
		if want := configs.Placeholders(text); !slices.Equal(names, want) {
			t.Fatalf("%q has the names %q, the configuration says %q", text, names, want)
		}
		if len(names) == 0 && (filled != text || own != text || err != nil) {
			t.Fatalf("%q became %q", text, filled)
		}
		builtIn := slices.ContainsFunc(names, func(n string) bool { return n == "client_address" || n == "user_agent" || n == "request_id" })
		if err != nil || builtIn || strings.HasPrefix(v, "\x01") {
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
		path, err := signin.GivenPath(given)
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
