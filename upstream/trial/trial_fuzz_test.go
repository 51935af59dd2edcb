package trial_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs/read"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
	"coatcheck/upstream/trial"
)

// Whatever an API answers, and wherever it says the password back, the trial does not
// tell it, nor a byte that a terminal obeys.
func FuzzTrial(f *testing.F) {
	f.Add(401, "pw-marked-1", `{"error":{"message":"wrong `, `","code":5}}`, "x")
	f.Add(200, "pw \"quoted\" é", `{"token":"`, `","user":{"id":1}}`, "r=")
	f.Add(200, "pw-marked-1", `{"token":"t","members":{"id":1,"email":"e","`, `":2}}`, "r=")
	f.Add(500, "long&secret=+/", `<h1>`, `</h1>`, "\x1b[2J")
	f.Add(200, "abcdefgh", `{"`, `":{"email":1,"id":2},"expiresIn":3600000}`, "")
	x := newTried(f)
	const other = "kept-from-all" // the password of somebody else
	f.Fuzz(func(t *testing.T, status int, password, before, after, cookie string) {
		if len(password) < 8 || len(password) > 200 || strings.Contains(other, password) {
			return // short ones stand in other words
		}
		said := func(password string) string {
			quoted, _ := json.Marshal(password)
			h := http.Header{"Set-Cookie": {cookie + password}, "Own": {password}}
			return x.tell(fields(password), status, h, []byte(before+string(quoted[1:len(quoted)-1])+after))
		}
		told := said(password)
		// What is told of another password, too, is no secret: a space many times, or "0000000["
		// where the API says 0000000 and then the password, which is told as [secret].
		if strings.Contains(told, password) && !strings.Contains(said(other), password) {
			t.Fatalf("%q is told:\n%s", password, told)
		}
		for _, c := range told {
			if c != '\n' && (c < ' ' || c == 0x7f) {
				t.Fatalf("%q reaches the terminal", c)
			}
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

// tried is a mapping's sign-in, without a network.
type tried struct {
	question signin.Question
	exchange *signin.Exchange
	person   *mapping.Person
}

func newTried(t testing.TB) *tried {
	t.Helper()
	whole := "sessions: {store: \"memory://\", keys: [\"0123456789abcdef0123456789abcdef-test\"]}\n" +
		"frontends: {shop: {origins: [\"https://shop.example.com\"], login: {upstream: api, fields: [email, password]}}}\n" +
		"upstreams:\n  api:\n    url: https://api.example.net\n    " + strings.ReplaceAll(strings.TrimSpace(fuzzedMapping), "\n", "\n    ")
	cfg, faults := read.Text("test.yaml", []byte(whole), func(string) (string, bool) { return "", false }, nil)
	if cfg == nil {
		t.Fatal(faults)
	}
	up := cfg.Upstreams["api"]
	headers, named := up.SendHeaders()
	address, err := upstream.ParseURL(up.URL)
	if err != nil {
		t.Fatal(err)
	}
	places, err := mapping.NewPlaces(up.Login.Credential, named, map[string]bool{"own": true})
	if err != nil {
		t.Fatal(err)
	}
	rules := &mapping.Rules{List: up.Login.Answers, Rejected: up.Login.Rejected, RejectedMeans: mapping.InvalidCredentials}
	return &tried{
		question: signin.Question{Request: up.Login.Request, Send: mapping.NewSend(headers, nil, nil, mapping.Body{}).Constant(), To: address},
		exchange: &signin.Exchange{Name: "login", Key: "upstreams.api.login", Rules: rules, Places: places},
		person:   &mapping.Person{At: up.Login.User.At, Subject: "/id"},
	}
}

func fields(password string) map[string]credential.Secret {
	return map[string]credential.Secret{"email": credential.NewSecret("ada@x.test"), "password": credential.NewSecret(password)}
}

// tell returns all that a trial tells of a response to the sign-in, in the order in
// which package signin calls the hooks.
func (x *tried) tell(fields map[string]credential.Secret, status int, header http.Header, body []byte) (told string) {
	hooks := trial.New(func(line string) { told += line + "\n" }).Hooks()
	a := mapping.NewResponse(status, header, body)
	hooks.Request(x.question, http.Header{}, &mapping.Values{Fields: fields})
	hooks.Response(a)
	next, err := x.exchange.Rules.Read(a, func(string) bool { return true })
	hooks.Decided(x.exchange, a, next, err)
	if err != nil {
		return told
	}
	given, err := x.exchange.Places.Extract(a, time.Now())
	hooks.Extracted(x.exchange, a, given, err)
	if err == nil {
		object, _, err := x.person.Find(a.Body)
		hooks.Described(x.person, a.Body, false, object, err)
	}
	return told
}
