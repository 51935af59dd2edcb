package signin_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// Whatever an API answers, and wherever it says the password back, the trace does not
// tell it, nor a byte that a terminal obeys.
func FuzzTrace(f *testing.F) {
	f.Add(401, "pw-marked-1", `{"error":{"message":"wrong `, `","code":5}}`, "x")
	f.Add(200, "pw \"quoted\" é", `{"token":"`, `","user":{"id":1}}`, "r=")
	f.Add(200, "pw-marked-1", `{"token":"t","members":{"id":1,"email":"e","`, `":2}}`, "r=")
	f.Add(500, "long&secret=+/", `<h1>`, `</h1>`, "\x1b[2J")
	f.Add(200, "abcdefgh", `{"`, `":{"email":1,"id":2},"expiresIn":3600000}`, "")
	cfg := parseMapping(f, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(fuzzedMapping), "\n", "\n  "))
	u := newSet(f, cfg).Get("api")
	quiet := u.TraceAnswer(person(), 204, nil, nil, now)
	f.Fuzz(func(t *testing.T, status int, password, before, after, cookie string) {
		// Short ones stand in other words; those that the mapping itself holds prove nothing.
		if len(password) < 8 || len(password) > 200 || strings.Contains(quiet, password) || strings.Contains("[secret][secret]", password) {
			return
		}
		quoted, _ := json.Marshal(password)
		h := http.Header{"Set-Cookie": {cookie + password}, "Own": {password}}
		told := u.TraceAnswer(secrets("email", "ada@x.test", "password", password), status, h, []byte(before+string(quoted[1:len(quoted)-1])+after), now)
		if strings.Contains(strings.ReplaceAll(told, quiet, ""), password) {
			t.Fatalf("%q is told:\n%s", password, told)
		}
		for _, c := range told {
			if c != '\n' && (c < ' ' || c == 0x7f) {
				t.Fatalf("%q reaches the terminal", c)
			}
		}
	})
}
