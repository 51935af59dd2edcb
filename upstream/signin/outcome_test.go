package signin_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// What an answer to a sign-in is, where the mapping says nothing about it.
func TestSignInOutcome(t *testing.T) {
	big := strings.Repeat(" ", 1<<20-len(`{"token":"a"}`))
	cases := map[string]struct {
		answer reply
		want   string
	}{
		"good":               {reply{status: 200, body: `{"token":"a"}`}, "signed_in"},
		"created":            {reply{status: 201, body: `{"token":"a"}`}, "signed_in"},
		"number":             {reply{status: 200, body: `{"token":12345678901234567890}`}, "signed_in"},
		"wrong type":         {reply{status: 200, header: map[string]string{"Content-Type": "text/html"}, body: `{"token":"a"}`}, "signed_in"},
		"byte order mark":    {reply{status: 200, body: "\xef\xbb\xbf{\"token\":\"a\"}"}, "signed_in"},
		"duplicate key":      {reply{status: 200, body: `{"token":"a","token":"b"}`}, "signed_in"},
		"a whole MiB":        {reply{status: 200, body: `{"token":"a"}` + big}, "signed_in"},
		"over a MiB":         {reply{status: 200, body: `{"token":"a"}` + big + " "}, "upstream_invalid"},
		"400":                {reply{status: 400}, "invalid_credentials"},
		"401":                {reply{status: 401}, "invalid_credentials"},
		"403":                {reply{status: 403}, "invalid_credentials"},
		"422":                {reply{status: 422}, "invalid_credentials"},
		"404":                {reply{status: 404}, "upstream_invalid"},
		"429":                {reply{status: 429}, "too_many_attempts"},
		"500":                {reply{status: 500, body: `{"token":"a"}`}, "upstream_invalid"},
		"redirect":           {reply{status: 302, header: map[string]string{"Location": "/home"}, body: `{"token":"a"}`}, "upstream_invalid"},
		"redirect nowhere":   {reply{status: 302, header: map[string]string{"Location": "http://%zz/"}, body: `{"token":"a"}`}, "upstream_invalid"},
		"no body":            {reply{status: 204}, "upstream_invalid"},
		"no JSON":            {reply{status: 200, body: "<!doctype html>"}, "upstream_invalid"},
		"two JSONs":          {reply{status: 200, body: `{"token":"a"}{}`}, "upstream_invalid"},
		"cut JSON":           {reply{status: 200, body: `{"token":"a"`}, "upstream_invalid"},
		"no token":           {reply{status: 200, body: `{}`}, "upstream_invalid"},
		"empty token":        {reply{status: 200, body: `{"token":""}`}, "upstream_invalid"},
		"null token":         {reply{status: 200, body: `{"token":null}`}, "upstream_invalid"},
		"false token":        {reply{status: 200, body: `{"token":false}`}, "upstream_invalid"},
		"true token":         {reply{status: 200, body: `{"token":true}`}, "upstream_invalid"},
		"token is an object": {reply{status: 200, body: `{"token":{"a":1}}`}, "upstream_invalid"},
		"other token type":   {reply{status: 200, body: `{"token":"a","token_type":"DPoP"}`}, "upstream_invalid"},
		"bearer in capitals": {reply{status: 200, body: `{"token":"a","token_type":"BEARER"}`}, "signed_in"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u, _ := oneAPI(t, plain, c.answer)
			in, err := signIn(u)
			if got := fate(in, err); got != c.want {
				t.Fatalf("got %s (%v), want %s", got, err, c.want)
			}
			if (in == nil) != (c.want != "signed_in") {
				t.Fatal("something came beside the error")
			}
		})
	}
}

// A token is visible ASCII without space, quote, "<", comma and semicolon, at most 16 KiB.
func TestTokenForm(t *testing.T) {
	long := strings.Repeat("a", 16<<10)
	for token, good := range map[string]bool{
		"a": true, "7|kQ9zT1": true, "a.b-c_d~e+f/g==": true, "{x}": true, "a:b": true, long: true, "Bearer abc": true,
		long + "a": false, "a b": false, " a": false, "a\\\"b": false, "a<b": false, "a,b": false, "a;b": false, "a\\n": false,
		"a\\r\\nX: y": false, "a\\u0000": false, "\\u0001[1]": false, "a\\u007f": false, "é": false, "Basic abc": false,
	} {
		for _, place := range []string{"token", "refresh"} {
			body := `{"token":"t","` + place + `":"` + token + `"}`
			u, _ := oneAPI(t, plain, reply{status: 200, body: body})
			in, err := signIn(u)
			if good != (err == nil) || !good && !errors.Is(err, upstream.ErrInvalid) {
				t.Errorf("%s %.20q: %v", place, token, err)
			}
			if err == nil && place == "token" && sends(u, in.Credential)["Authorization"] != "Bearer "+strings.TrimPrefix(token, "Bearer ") {
				t.Errorf("%.20q is sent as %.40q", token, sends(u, in.Credential)["Authorization"])
			}
		}
	}
}

// Values of the mapping's own must be fit where they are put, and only there.
func TestOwnValues(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, uid: {header: uid}, note: /note}
send: {headers: {Authorization: "Token {access_token}", uid: "{uid}"}}
logout: {request: {path: /logout, body: {note: "{note}"}}}
`
	for name, c := range map[string]struct {
		uid, note string
		want      string
	}{
		"fit":               {"ada@x.test", `"any; text, é"`, "signed_in"},
		"absent":            {"", "null", "signed_in"},
		"uid ends its line": {"a;b", "1", "upstream_invalid"},
		"note too long":     {"a", `"` + strings.Repeat("n", 16<<10+1) + `"`, "upstream_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			header := map[string]string{"uid": c.uid}
			if c.uid == "" {
				header = nil
			}
			u, api := oneAPI(t, text, reply{status: 200, header: header, body: `{"token":"a","note":` + c.note + `}`})
			in, err := signIn(u)
			if fate(in, err) != c.want {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if got, there := sends(u, in.Credential)["uid"]; got != c.uid || there != (c.uid != "") {
				t.Errorf("sends uid %q (%v)", got, there)
			}
			if err := u.SignOut(t.Context(), in.Credential, browser()); err != nil {
				t.Fatal(err)
			}
			body := string(api.questions()[1].body)
			if want := map[bool]string{true: "{}\n", false: `{"note":` + c.note + "}"}[c.note == "null"]; strings.TrimSpace(body) != strings.TrimSpace(want) {
				t.Errorf("sign-out says %s", body)
			}
		})
	}
}

// A cookie is what a browser would hold after the answer.
func TestCookiePlace(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: {cookie: sid}}
send: {headers: {Cookie: "sid={access_token}"}}
`
	past, future := "Thu, 01 Jan 1970 00:00:01 GMT", "Fri, 31 Dec 2100 23:59:59 GMT"
	for name, c := range map[string]struct {
		lines []string
		want  string // "": upstream_invalid
	}{
		"plain":              {[]string{"sid=s1"}, "s1"},
		"attributes":         {[]string{"sid=s1; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60; Expires=" + past}, "s1"},
		"escaped":            {[]string{"sid=eyJ%3D%3D|x"}, "eyJ%3D%3D|x"},
		"the last counts":    {[]string{"sid=s1", "other=o", "sid=s2"}, "s2"},
		"taken away":         {[]string{"sid=s1", "sid=deleted; Max-Age=0"}, ""},
		"expired":            {[]string{"sid=s1; Expires=" + past}, ""},
		"expires later":      {[]string{"sid=s1; Expires=" + future}, "s1"},
		"other name":         {[]string{"SID=s1"}, ""},
		"quoted":             {[]string{`sid="s1"`}, ""},
		"with a space":       {[]string{"sid=a b"}, ""},
		"with a comma":       {[]string{"sid=a,b"}, ""},
		"empty":              {[]string{"sid="}, ""},
		"none":               {nil, ""},
		"broken line beside": {[]string{"=;=", "sid=s1"}, "s1"},
	} {
		t.Run(name, func(t *testing.T) {
			u, _ := oneAPI(t, text, reply{})
			in, err := u.ReadSignIn(200, http.Header{"Set-Cookie": c.lines}, nil, now)
			if c.want == "" {
				if !errors.Is(err, upstream.ErrInvalid) {
					t.Fatalf("accepted (%v)", err)
				}
				return
			}
			if err != nil || sends(u, in.Credential)["Cookie"] != "sid="+c.want {
				t.Fatalf("%v, sends %v", err, sends(u, in.Credential))
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	const inNinety = "a date in 90 s"
	for text, want := range map[string]time.Duration{
		"":                              0,
		"30":                            30 * time.Second,
		"0":                             0,
		"-5":                            0,
		"soon":                          0,
		"9999999999":                    0, // not a delay anybody means
		"604800":                        24 * time.Hour,
		inNinety:                        90 * time.Second,
		"Thu, 01 Jan 1970 00:00:00 GMT": 0,
		"Fri, 31 Dec 9999 23:59:59 GMT": 24 * time.Hour,
	} {
		begun := time.Now()
		if text == inNinety { // as late as can be: what happens meanwhile counts
			text = time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
		}
		u, _ := oneAPI(t, plain, reply{status: 429, header: map[string]string{"Retry-After": text}})
		_, err := signIn(u)
		var refusal *mapping.Refusal
		if !errors.As(err, &refusal) || refusal.RetryAfter > want || want-refusal.RetryAfter > time.Since(begun)+time.Second { // a date has no fractions
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// The rules of `answers`: the first match counts, then 429, then rejected.
func TestAnswers(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token}
  rejected: [418]
  answers:
  - {status: 401, at: /code, is: [LOCKED, "OFF*", 42, 1.5, true], means: account_locked}
  - {at: /code, is: "*middle*", means: account_disabled}
  - {at: /code, is: null, means: password_expired}
  - {at: /list/1/x, means: mfa_required}
  - {at: /a~1b~0c, is: x, means: account_unverified}
  - {status: 429, at: /code, is: SLOW, means: too_many_attempts}
  - {status: 422, at: /errors, means: invalid_fields}
  - {status: 200, at: /ok, is: false, means: upstream_invalid}
  - {status: 409, means: invalid_credentials}
  - {at: {header: X-Code}, is: 7, means: account_locked}
  - {at: {cookie: flash}, is: "bad*", means: invalid_credentials}
  - {at: "", is: "*nope", means: invalid_credentials}
`
	for name, c := range map[string]struct {
		answer reply
		want   string
	}{
		"exact":                    {reply{status: 401, body: `{"code":"LOCKED"}`}, "account_locked"},
		"other case":               {reply{status: 401, body: `{"code":"locked"}`}, "upstream_invalid"},
		"other status":             {reply{status: 400, body: `{"code":"LOCKED"}`}, "upstream_invalid"},
		"prefix":                   {reply{status: 401, body: `{"code":"OFFLINE"}`}, "account_locked"},
		"number":                   {reply{status: 401, body: `{"code":42}`}, "account_locked"},
		"number as text":           {reply{status: 401, body: `{"code":"42"}`}, "account_locked"},
		"number written otherwise": {reply{status: 401, body: `{"code":4.2e1}`}, "account_locked"},
		"fraction":                 {reply{status: 401, body: `{"code":1.50}`}, "account_locked"},
		"truth":                    {reply{status: 401, body: `{"code":true}`}, "account_locked"},
		"inside":                   {reply{status: 500, body: `{"code":"in the middle of"}`}, "account_disabled"},
		"null":                     {reply{status: 500, body: `{"code":null}`}, "password_expired"},
		"there":                    {reply{status: 200, body: `{"list":[0,{"x":1}],"token":"a"}`}, "mfa_required"},
		"there but false":          {reply{status: 200, body: `{"list":[0,{"x":false}],"token":"a"}`}, "signed_in"},
		"there but empty":          {reply{status: 200, body: `{"list":[0,{"x":""}],"token":"a"}`}, "signed_in"},
		"there but an empty list":  {reply{status: 200, body: `{"list":[0,{"x":[]}],"token":"a"}`}, "signed_in"},
		"there but null":           {reply{status: 200, body: `{"list":[0,{"x":null}],"token":"a"}`}, "signed_in"},
		"there and zero":           {reply{status: 200, body: `{"list":[0,{"x":0}],"token":"a"}`}, "mfa_required"},
		"escaped pointer":          {reply{status: 200, body: `{"a/b~c":"x","token":"a"}`}, "account_unverified"},
		"429 by rule":              {reply{status: 429, body: `{"code":"SLOW"}`}, "too_many_attempts"},
		"429 without":              {reply{status: 429, body: `{}`}, "too_many_attempts"},
		"fields":                   {reply{status: 422, body: `{"errors":{"email":["bad"],"other":1,"password":[]}}`}, "invalid_fields"},
		"called invalid":           {reply{status: 200, body: `{"ok":false,"token":"a"}`}, "upstream_invalid"},
		"status alone":             {reply{status: 409}, "invalid_credentials"},
		"header":                   {reply{status: 500, header: map[string]string{"X-Code": "7"}}, "account_locked"},
		"cookie":                   {reply{status: 302, header: map[string]string{"Set-Cookie": "flash=bad-password"}}, "invalid_credentials"},
		"text":                     {reply{status: 200, body: "we say nope"}, "invalid_credentials"},
		"rejected":                 {reply{status: 418}, "invalid_credentials"},
		"no default":               {reply{status: 401}, "upstream_invalid"},
		"success":                  {reply{status: 200, body: `{"token":"a"}`}, "signed_in"},
	} {
		t.Run(name, func(t *testing.T) {
			u, _ := oneAPI(t, text, c.answer)
			in, err := signIn(u)
			if got := fate(in, err); got != c.want {
				t.Fatalf("got %s (%v), want %s", got, err, c.want)
			}
			var refusal *mapping.Refusal
			if errors.As(err, &refusal) && c.want == "invalid_fields" && strings.Join(refusal.Fields, " ") != "email password" {
				t.Errorf("fields %q", refusal.Fields)
			}
		})
	}
}

// On refresh, only what clearly speaks of the refresh token ends a session.
func TestRefreshOutcome(t *testing.T) {
	const ruled = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, refresh_token: /refresh}
refresh:
  request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}
  rejected: [401, 429]
  answers: [{at: /error, is: gone, means: session_expired}, {at: /error, is: off, means: session_expired}]
`
	for name, c := range map[string]struct {
		mapping string
		answer  reply
		want    string
	}{
		"default, dead":              {plain, reply{status: 400, body: `{"error":"invalid_grant"}`}, mapping.SessionExpired},
		"default, dead too":          {plain, reply{status: 401, body: `{"error":"invalid_grant"}`}, mapping.SessionExpired},
		"default, other status":      {plain, reply{status: 403, body: `{"error":"invalid_grant"}`}, "upstream_invalid"},
		"default, client":            {plain, reply{status: 401, body: `{"error":"invalid_client"}`}, "upstream_invalid"},
		"default, bare 401":          {plain, reply{status: 401}, "upstream_invalid"},
		"default, later":             {plain, reply{status: 429}, mapping.TooManyAttempts},
		"default, token is unusable": {plain, reply{status: 200, body: `{"token":"a b"}`}, "upstream_invalid"},
		"default, no token":          {plain, reply{status: 200, body: `{"refresh":"r2"}`}, "upstream_invalid"},
		"ruled, rejected":            {ruled, reply{status: 401}, mapping.SessionExpired},
		"ruled, answer":              {ruled, reply{status: 500, body: `{"error":"gone"}`}, mapping.SessionExpired},
		"ruled, about the person":    {ruled, reply{status: 401, body: `{"error":"off"}`}, "upstream_invalid"},
		"ruled, throttled":           {ruled, reply{status: 429}, mapping.TooManyAttempts},
		"ruled, not the default":     {ruled, reply{status: 400, body: `{"error":"invalid_grant"}`}, "upstream_invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t, c.answer)
			cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(c.mapping), "\n", "\n  "))
			if answers := s.at(cfg["api"]).Refresh.Answers; c.mapping == ruled {
				answers[1].Means = mapping.AccountDisabled // check refuses it
			}
			u := newSet(t, cfg).Get("api")
			next, err := u.Refresh(t.Context(), holding("access_token", "a", "refresh_token", "r"), browser(), now)
			if got := fate(nil, err); got != c.want || next != nil {
				t.Fatalf("got %s (%v), want %s", got, err, c.want)
			}
		})
	}
}

// A refresh answer keeps what it lacks, and what it gives is tested as at sign-in.
func TestRefreshKeeps(t *testing.T) {
	u, api := oneAPI(t, plain, reply{status: 200, body: `{"token":"a2","expires":60}`})
	next, err := u.Refresh(t.Context(), holding("access_token", "a", "refresh_token", "r", "own", "o"), browser(), now)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"access_token": "a2", "refresh_token": "r", "own": "o"} {
		if got := next.Value(name).Reveal(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if left := next.Expires.Sub(now); left != time.Minute {
		t.Errorf("expires in %v", left)
	}
	if h := api.questions()[0].header; h.Get("Authorization") != "" {
		t.Error("a refresh carried the person")
	}
	if _, err := u.Refresh(t.Context(), holding("access_token", "a"), browser(), now); !errors.Is(err, upstream.ErrInvalid) || len(api.questions()) != 1 {
		t.Errorf("without a refresh token: %v", err)
	}
}
