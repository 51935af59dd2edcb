package signin_test

import (
	"coatcheck/upstream/mapping"
	"errors"
	"strings"
	"testing"
)

const steppedMapping = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token}
  rejected: [401]
  answers:
  - {at: /code, is: WRONG, means: mfa_required}
  - {at: /mail, step: mail}
  - {at: /app, step: app}
  - {at: /auto, step: auto}
  steps:
    mail: {fields: [code], keep: {m: /mail}, request: {path: /mail, body: {m: "{m}", c: "{code}"}}}
    app:  {fields: ["otp", "remember?"], keep: {a: /app, n: /n}, request: {path: /app, body: {a: "{a}", m: "{m}", n: "{n}", o: "{otp}", r: "{remember}"}}, rejected: [418]}
    auto: {fields: [], keep: {x: /auto}, answers: [{at: /app, step: app}], request: {path: /auto, body: {x: "{x}", n: null}}}
`

// Steps follow each other; what is kept goes along, types and all.
func TestSteps(t *testing.T) {
	u, api := oneAPI(t, steppedMapping,
		reply{status: 401, body: `{"mail":{"id":7}}`},
		reply{status: 200, body: `{"app":"a1","n":5}`},
		reply{status: 401, body: `{"code":"WRONG"}`},
		reply{status: 401},
		reply{status: 418},
		reply{status: 200, body: `{"token":"t"}`})
	in, err := signIn(u)
	if fate(in, err) != "step" || in.Step.Name != "mail" || in.Credential != nil {
		t.Fatal(in, err)
	}
	first := in.Step
	in, err = u.Ways.Continue(t.Context(), first.Name, first.Kept, secrets("code", "c1"), browser(), now)
	if fate(in, err) != "step" || in.Step.Name != "app" || strings.Join(in.Step.Fields, " ") != "otp remember?" {
		t.Fatal(in, err)
	}
	for _, want := range []string{"mfa_required", "upstream_invalid", "invalid_credentials", "signed_in"} {
		again, err := u.Ways.Continue(t.Context(), "app", in.Step.Kept, secrets("otp", "1"), browser(), now)
		if got := fate(again, err); got != want {
			t.Fatalf("got %s (%v), want %s", got, err, want)
		}
	}
	for i, want := range []string{`{"email":"ada@x.test","password":"pw"}`, `{"c":"c1","m":{"id":7}}`, `{"a":"a1","m":{"id":7},"n":5,"o":"1"}`} {
		if got := strings.TrimSpace(string(api.questions()[i].body)); got != want {
			t.Errorf("question %d: %s, want %s", i, got, want)
		}
	}
}

// A step without fields runs by itself.
func TestStepsByThemselves(t *testing.T) {
	u, api := oneAPI(t, steppedMapping, reply{status: 200, body: `{"auto":1}`}, reply{status: 200, body: `{"token":"t"}`})
	if in, err := signIn(u); fate(in, err) != "signed_in" || in.Credential.Value("access_token").Reveal() != "t" {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(api.questions()[1].body)); got != `{"n":null,"x":1}` {
		t.Errorf("said %s", got)
	}
}

// A step that runs by itself knows what the page sent: some APIs want to be asked for a
// form before they take a password.
func TestStepKnowsFields(t *testing.T) {
	u, api := oneAPI(t, `
login:
  request: {method: GET, path: /flow}
  answers: [{at: /flow, step: password}]
  credential: {access_token: /token}
  steps:
    password: {fields: [], keep: {flow: /flow}, answers: [{at: /ask, step: code}, {at: /bad, means: invalid_fields}], request: {path: /login, query: {flow: "{flow}"}, body: {name: "{email}", password: "{password}"}}}
    code: {fields: [otp], keep: {ask: /ask}, request: {path: "/code/{ask}", body: {otp: "{otp}"}}}
`, reply{status: 200, body: `{"flow":"f1"}`}, reply{status: 200, body: `{"ask":"a1"}`}, reply{status: 200, body: `{"token":"t"}`},
		reply{status: 200, body: `{"flow":"f1"}`}, reply{status: 400, body: `{"bad":{"email":1,"flow":2,"user_agent":3}}`})
	in, err := signIn(u)
	if fate(in, err) != "step" || in.Step.Name != "code" || len(in.Step.Kept) != 2 {
		t.Fatal(fate(in, err), err)
	}
	if in, err = u.Ways.Continue(t.Context(), "code", in.Step.Kept, secrets("otp", "1"), browser(), now); fate(in, err) != "signed_in" {
		t.Fatal(err)
	}
	for i, want := range []string{"GET /flow ", `POST /login?flow=f1 {"name":"ada@x.test","password":"pw"}`, `POST /code/a1 {"otp":"1"}`} {
		if q := api.questions()[i]; q.method+" "+q.uri+" "+strings.TrimSpace(string(q.body)) != want {
			t.Errorf("question %d: %s %s %s", i, q.method, q.uri, q.body)
		}
	}
	_, err = signIn(u)
	var refusal *mapping.Refusal
	if !errors.As(err, &refusal) || strings.Join(refusal.Fields, " ") != "email" {
		t.Errorf("%v, %+v", err, refusal)
	}
}

// Steps that lead in a circle, which check refuses, end all the same.
func TestStepsInACircle(t *testing.T) {
	api := newStandIn(t, reply{status: 200, body: `{"auto":1}`})
	cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(steppedMapping), "\n", "\n  "))
	api.at(cfg["api"]).Login.Steps["auto"].Answers = &cfg["api"].Login.Answers
	in, err := signIn(newSet(t, cfg).Get("api"))
	if fate(in, err) != "upstream_invalid" || len(api.questions()) > 10 {
		t.Errorf("%v after %d questions", err, len(api.questions()))
	}
}

// A step that is not in the mapping (a pending one of an older configuration) is no panic.
func TestUnknownStep(t *testing.T) {
	for _, text := range []string{steppedMapping, plain} {
		u, api := oneAPI(t, text, reply{})
		in, err := u.Ways.Continue(t.Context(), "gone", nil, nil, browser(), now)
		if fate(in, err) != "upstream_invalid" || len(api.questions()) != 0 {
			t.Error(err)
		}
	}
}

const verifiedMapping = `
login: {request: {path: /login, body: {email: "{email}", password: "{password}"}}, credential: {access_token: /token}}
verify: {after: [401, 419], request: {path: /me}, rejected: [401], answers: [{at: /gone, means: session_expired}, {at: /bad, means: account_disabled}]}
`

// Only a clear no is a dead token.
func TestVerify(t *testing.T) {
	for name, c := range map[string]struct {
		answer reply
		alive  bool
		fate   string
	}{
		"alive":     {reply{status: 200}, true, ""},
		"rejected":  {reply{status: 401}, false, ""},
		"ruled":     {reply{status: 200, body: `{"gone":1}`}, false, ""},
		"throttled": {reply{status: 429}, false, mapping.TooManyAttempts},
		"disabled":  {reply{status: 403, body: `{"bad":1}`}, false, mapping.AccountDisabled},
		"broken":    {reply{status: 500}, false, "upstream_invalid"},
		"redirect":  {reply{status: 302}, false, "upstream_invalid"},
	} {
		u, api := oneAPI(t, verifiedMapping, c.answer)
		alive, err := u.Verify(t.Context(), holding("access_token", "a"), browser())
		if alive != c.alive || (err == nil) != (c.fate == "") || err != nil && fate(nil, err) != c.fate {
			t.Errorf("%s: %v %v", name, alive, err)
		}
		if q := api.questions()[0]; q.method != "GET" || q.header.Get("Authorization") != "Bearer a" {
			t.Errorf("asked by %s with %v", q.method, q.header)
		}
	}
	u, _ := oneAPI(t, verifiedMapping, reply{})
	if !u.CanVerify() || !u.VerifyAfter(419) || u.VerifyAfter(403) {
		t.Error("after is not as configured")
	}
	without, _ := oneAPI(t, plain, reply{})
	if without.CanVerify() || without.VerifyAfter(401) {
		t.Error("nothing to verify with")
	}
}

const followedMapping = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: {header: access-token, follow: true}, client: {header: client, follow: true}, uid: {header: uid}, expires_at: {header: expiry}}
send: {headers: {access-token: "{access_token}", client: "{client}", uid: "{uid}"}}
`

// A proxied answer renews what the mapping says, and nothing else.
func TestFollow(t *testing.T) {
	u, _ := oneAPI(t, followedMapping, reply{})
	old := holding("access_token", "a", "client", "c", "uid", "u")
	for name, c := range map[string]struct {
		header map[string]string
		want   string // "" nothing new
	}{
		"new token":        {map[string]string{"Access-Token": "a2", "Client": "c", "Uid": "x"}, "a2 c u"},
		"both":             {map[string]string{"Access-Token": "a2", "Client": "c2"}, "a2 c2 u"},
		"same":             {map[string]string{"Access-Token": "a", "Client": "c"}, ""},
		"none":             {nil, ""},
		"empty":            {map[string]string{"Access-Token": " "}, ""},
		"unfit":            {map[string]string{"Access-Token": "a b"}, ""},
		"not followed":     {map[string]string{"Uid": "x"}, ""},
		"other value only": {map[string]string{"Client": "c2"}, "a c2 u"},
	} {
		lines := func(name string) []string {
			if v, ok := c.header[name]; ok {
				return []string{v}
			}
			return nil
		}
		next, changed := u.Follow(old, lines, now)
		if changed != (c.want != "") {
			t.Errorf("%s: changed %v", name, changed)
			continue
		}
		if changed && next.Value("access_token").Reveal()+" "+next.Value("client").Reveal()+" "+next.Value("uid").Reveal() != c.want {
			t.Errorf("%s: got another credential", name)
		}
	}
	if plainOne, _ := oneAPI(t, plain, reply{}); plainOne.Follows() || !u.Follows() {
		t.Error("who follows is not as configured")
	}
}
