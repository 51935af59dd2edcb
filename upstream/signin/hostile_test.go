package signin_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

const hostileMapping = `
send: {headers: {Authorization: "Bearer {access_token}", X-Uid: "{uid}", Cookie: "c={c}"}}
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, uid: {header: uid}, c: {cookie: c}, expires_in: /in, expires_at: /at, own: /own}
  user: {from: response, at: /user, subject: /id}
  answers:
  - {at: /code, is: [4, null, "*x*"], means: invalid_credentials}
`

// TestHostileAnswers: whatever an API says, it is a clean success or its own fault; no
// line of a request can be ended by it, and no token stands in what is kept of the person.
func TestHostileAnswers(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	for name, c := range map[string]struct {
		header http.Header
		body   string
		want   string
	}{
		"deep":                  {nil, `{"token":"t","user":{"id":1,"a":` + deep(5000) + `}}`, "signed_in"},
		"deeper than any":       {nil, `{"token":"t","user":{"id":1,"a":` + deep(20000) + `}}`, "upstream_invalid"},
		"two tokens":            {nil, `{"token":"first","token":"t","user":{"id":1}}`, "signed_in"},
		"two users":             {nil, `{"token":"t","user":{"id":1,"t":"t"},"user":{"id":2}}`, "signed_in"},
		"byte order mark":       {nil, "\xef\xbb\xbf" + `{"token":"t","user":{"id":1}}`, "signed_in"},
		"two documents":         {nil, `{"token":"t","user":{"id":1}}{}`, "upstream_invalid"},
		"a list":                {nil, `[{"token":"t","user":{"id":1}}]`, "upstream_invalid"},
		"a token in a list":     {nil, `{"token":["t"],"user":{"id":1}}`, "upstream_invalid"},
		"a true token":          {nil, `{"token":true,"user":{"id":1}}`, "upstream_invalid"},
		"a number":              {nil, `{"token":123456789012345678901234567890,"user":{"id":1}}`, "signed_in"},
		"an endless life":       {nil, `{"token":"t","in":1e400,"user":{"id":1}}`, "signed_in"},
		"a life of letters":     {nil, `{"token":"t","in":"0x10","user":{"id":1}}`, "signed_in"},
		"a life of no number":   {nil, `{"token":"t","in":"NaN","user":{"id":1}}`, "signed_in"},
		"a life in a list":      {nil, `{"token":"t","in":[60],"user":{"id":1}}`, "signed_in"},
		"an end before":         {nil, `{"token":"t","at":1,"user":{"id":1}}`, "upstream_invalid"},
		"no end":                {nil, `{"token":"t","in":null,"at":null,"user":{"id":1}}`, "signed_in"},
		"a line in the token":   {nil, `{"token":"t\r\nX-Evil: 1","user":{"id":1}}`, "upstream_invalid"},
		"a cookie in the token": {nil, `{"token":"t; admin=1","user":{"id":1}}`, "upstream_invalid"},
		"half a rune":           {nil, "{\"token\":\"t\xff\",\"user\":{\"id\":1}}", "upstream_invalid"},
		"half a surrogate":      {nil, `{"token":"t\ud800","user":{"id":1}}`, "upstream_invalid"},
		"a line in a header":    {http.Header{"Uid": {"u\r\nX-Evil: 1"}}, `{"token":"t","user":{"id":1}}`, "upstream_invalid"},
		"two headers":           {http.Header{"Uid": {"u", "v\r\nX-Evil: 1"}}, `{"token":"t","user":{"id":1}}`, "signed_in"},
		"a cookie of two":       {http.Header{"Set-Cookie": {"c=1; admin=1; Max-Age=x; Path"}}, `{"token":"t","user":{"id":1}}`, "signed_in"},
		"a cookie of a line":    {http.Header{"Set-Cookie": {"c=1\r\nX-Evil: 1"}}, `{"token":"t","user":{"id":1}}`, "signed_in"},
		"an own value, no text": {nil, `{"token":"t","own":{"a":[1]},"user":{"id":1}}`, "signed_in"},
		"nobody":                {nil, `{"token":"t","user":{"id":null}}`, "upstream_invalid"},
		"everybody":             {nil, `{"token":"t","user":{"id":{"$ne":1}}}`, "upstream_invalid"},
		"the token everywhere":  {nil, `{"token":"t","user":{"id":1,"t":"t","b":"Bearer t","l":["t",{"x":"t"}]}}`, "signed_in"},
		"a rule's number":       {nil, `{"code":4.0,"token":"t","user":{"id":1}}`, "invalid_credentials"},
		"a rule's null":         {nil, `{"code":null,"token":"t","user":{"id":1}}`, "invalid_credentials"},
		"a rule's list":         {nil, `{"code":["x"],"token":"t","user":{"id":1}}`, "signed_in"},
		"a rule's object":       {nil, `{"code":{"x":1},"token":"t","user":{"id":1}}`, "signed_in"},
	} {
		t.Run(name, func(t *testing.T) {
			u, _ := oneAPI(t, hostileMapping, reply{})
			in, err := u.ReadSignIn(200, c.header, []byte(c.body), now)
			if got := fate(in, err); got != c.want {
				t.Fatalf("%s (%v), want %s", got, err, c.want)
			}
			if err != nil {
				if strings.Contains(err.Error(), "Evil") || !errors.Is(err, upstream.ErrInvalid) && c.want == "upstream_invalid" {
					t.Error(err)
				}
				return
			}
			lines := string(u.AppendSend(nil, in.Credential, mapping.Caller{}))
			if strings.Contains(lines, "Evil") || strings.Contains(lines, "admin") || strings.Count(lines, "\r\n") > 3 {
				t.Errorf("sends %q", lines)
			}
			if text := string(in.UserJSON()); strings.Contains(text, `"t"`) || strings.Contains(text, "Bearer") {
				t.Errorf("kept %.200s", text)
			}
		})
	}
}
