package signin_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

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
		var refusal *mapping.Refusal
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
	lines := string(u.AppendSend(nil, c, mapping.Caller{}))
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
