package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Secrets of these tests; none may be printed.
const (
	tryPassword = "pw-MARKED-päss \"word\""
	tryCode     = "code-MARKED-1"
	tryClient   = "client-secret-MARKED"
	tryKey      = "apikey-MARKED"
	tryAccess   = "acc-MARKED-0123456789"
	tryRefresh  = "ref-MARKED-0123456789"
	tryMFA      = "mfa-MARKED"
	tryCookie   = "cookie-MARKED"
)

const tryMapping = `
sessions: {store: "memory://", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    send: {headers: {apikey: "${API_KEY}", Authorization: "Bearer {access_token}"}}
    login:
      request:
        path: /login
        query: {key: "${API_KEY}"}
        basic: [client, "${CLIENT}"]
        body: {grant_type: password, who: "{email}", password: "{password}", client_secret: "${CLIENT}", otp: "{otp}"}
      rejected: [401]
      answers:
        - {at: /error/code, is: LOCKED, means: account_locked}
        - {at: /error/code, is: [WRONG, "BAD*"], means: mfa_required}
        - {at: /mfa_token, step: code}
      credential: {access_token: /token, refresh_token: {cookie: rt}, expires_in: {at: /ms, unit: ms}, client: {header: Client}}
      user: {from: response, at: /user}
      steps:
        code: {fields: [code], keep: {mfa: /mfa_token}, request: {path: /code, body: {mfa: "{mfa}", code: "{code}"}}}
    refresh: {request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401], credential: {access_token: /token}}
    logout: {request: {path: "/logout/{client}"}}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password, "otp?"], expose: [id, email, phone]}
`

// tryAPI answers with secrets wherever an API could put them.
func tryAPI(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var in map[string]any
		_ = json.Unmarshal(body, &in)
		good := func() {
			w.Header().Set("Set-Cookie", "rt="+tryRefresh+"; Path=/; HttpOnly")
			w.Header().Set("Client", "client-MARKED")
			w.Header().Set("X-Token", tryAccess)
			w.Header().Set("Location", "/x?"+tryAccess)
			fmt.Fprintf(w, `{"token":%q,"ms":900000,"echo":%q,"user":{"id":"u1","email":%q,"pin":"77-MARKED"}}`, tryAccess, r.Header.Get("Authorization"), fmt.Sprint(in["who"]))
		}
		switch r.URL.Path {
		case "/login":
			switch in["who"] {
			case "mfa":
				fmt.Fprintf(w, `{"mfa_token":%q}`, tryMFA)
			case "locked":
				w.WriteHeader(403)
				fmt.Fprintf(w, `{"error":{"code":"LOCKED","message":"no entry with %s and %s"}}`, in["client_secret"], strings.ReplaceAll(fmt.Sprint(in["password"]), `"`, `\"`))
			case "odd":
				fmt.Fprintf(w, `{"data":{"accessToken":%q,"refreshToken":%q,"expiresIn":3600000,"member":{"uid":7,"email":"x"}}}`, tryAccess, tryRefresh)
			case "half":
				w.WriteHeader(403)
				fmt.Fprintf(w, `{"error":"second step","twoFactorToken":%q}`, tryMFA)
			case "unrenewed":
				w.Header().Set("Client", "client-MARKED")
				fmt.Fprintf(w, `{"token":%q,"ms":900000,"user":{"id":1}}`, tryAccess)
			case "nobody":
				fmt.Fprintf(w, `{"token":%q,"ms":900000,"member":{"uid":7,"email":"<x>"}}`, tryAccess)
			case "strange":
				w.WriteHeader(418)
				fmt.Fprintf(w, `{"errors":[{"extensions":{"code":"NOT_TODAY"}}],"key":%q,"hint":%q}`, tryKey, tryRefresh)
			case "page":
				w.WriteHeader(500)
				fmt.Fprintf(w, "<html>%s %s</html>", in["password"], tryClient)
			case "wrong":
				w.WriteHeader(401)
			default:
				good()
			}
		case "/code":
			if in["code"] != tryCode {
				w.WriteHeader(400)
				fmt.Fprintf(w, `{"error":{"code":"WRONG","you_said":%q}}`, in["code"])
				return
			}
			good()
		case "/refresh":
			if in["refresh_token"] != tryRefresh {
				w.WriteHeader(401)
			}
			fmt.Fprintf(w, `{"token":%q}`, tryAccess+"-2")
		default:
			w.Header().Set("Set-Cookie", "a="+tryCookie)
			w.WriteHeader(204)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// try runs the command with typed lines.
func try(t *testing.T, typed string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "try.yaml")
	if err := os.WriteFile(file, []byte(tryMapping), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"API": tryAPI(t).URL, "API_KEY": tryKey, "CLIENT": tryClient,
		"KEY": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k8"), 16))}
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"coatcheck", "try", "-config", file, "-upstream", "api"}, args...),
		func(name string) (string, bool) { v, ok := env[name]; return v, ok }, strings.NewReader(typed), &out, &errs)
	return code, out.String(), errs.String()
}

// TestTry: what an operator is told, and that none of it is a secret.
func TestTry(t *testing.T) {
	for _, row := range []struct {
		name, typed string
		args        []string
		exit        int
		want        []string
	}{
		{"signed in", "ada@x.test\n" + tryPassword + "\n\n", nil, exitDone, []string{
			"> POST http://127.0.0.1:", "/login?key=[secret]", "> Authorization: Basic [secret]", "> Apikey: [secret]",
			`"password": "{password}"`, `"grant_type": "password"`, `"client_secret": "[secret]"`, "< 200 OK", "< Set-Cookie: rt=[secret]",
			"= no line of answers; 200 may be a success", "access_token       from /token: 21 characters",
			"refresh_token      from {cookie: rt}: 21 characters", "expires_in         from /ms: 900000",
			"A browser would see: 200\n  {\n    \"authenticated\": true,\n    \"user\": {\n      \"email\": \"ada@x.test\",\n      \"id\": \"u1\"\n    }\n  }\n", "expose names phone", "and not: pin",
			"user               at /user: email, id, pin",
			"ends in: 15m0s", "It is renewed 30s before", "-logout would have ended it"}},
		{"refresh and sign-out", "ada@x.test\n" + tryPassword + "\n\n", []string{"-refresh", "-logout"}, exitDone, []string{
			"== refresh", `> JSON: {"refresh_token":"{refresh_token}"}`, "Renewed. The refresh token is the old one.", "== sign-out", "/logout/{client}", "< 204 No Content", "Told."}},
		{"sign-out after a refresh that failed", "unrenewed\n" + tryPassword + "\n\n", []string{"-refresh", "-logout"}, exitRefused, []string{"There is nothing to renew with", "== sign-out", "Told."}},
		{"second factor", "mfa\n" + tryPassword + "\n\nwrong-MARKED\n" + tryCode + "\n", nil, exitDone, []string{
			"answers, line 3: {at: /mfa_token, step: code}", "= goes on with step code", `200 {"authenticated":false,"step":"code","fields":["code"]}`, "== step code",
			`answers, line 2: {at: /error/code, is: ["WRONG","BAD*"], means: mfa_required}`, "A browser would see: 401 mfa_required", `"authenticated": true`}},
		{"ruled", "locked\n" + tryPassword + "\n\n", nil, exitRefused, []string{
			"answers, line 1: {at: /error/code, is: \"LOCKED\", means: account_locked}", "A browser would see: 403 account_locked", "no entry with [secret]"}},
		{"rejected", "wrong\n" + tryPassword + "\n\n", nil, exitRefused, []string{"401 is in rejected: invalid_credentials", "A browser would see: 401 invalid_credentials"}},
		{"places do not fit", "odd\n" + tryPassword + "\n\n", nil, exitRefused, []string{
			"access_token       from /token: nothing is there", "looks like an access token: /data/accessToken", "looks like a refresh token: /data/refreshToken",
			"looks like an end: /data/expiresIn", "looks like the person: /data/member",
			"worth trying, in upstreams.api.login:\n      credential:\n        access_token: /data/accessToken\n        refresh_token: /data/refreshToken\n        expires_in: {at: /data/expiresIn, unit: ms}\n      user: {from: response, at: /data/member, subject: /uid}", "A browser would see: 502 upstream_invalid"}},
		{"no rule fits", "strange\n" + tryPassword + "\n\n", nil, exitRefused, []string{
			"418 is no success: upstream_invalid", "looks like the reason: /errors/0/extensions/code",
			"- {status: 418, at: /errors/0/extensions/code,\n           is: \"NOT_TODAY\", means: invalid_credentials}", "rejected: [418]"}},
		{"a second factor that no rule knows", "half\n" + tryPassword + "\n\n", nil, exitRefused, []string{
			"looks like a second factor that is wanted: /twoFactorToken", "      answers:\n        - {at: /twoFactorToken, step: otp}\n      steps:\n        otp:\n          fields: [otp]\n          keep: {twoFactorToken: /twoFactorToken}\n"}},
		{"no user", "nobody\n" + tryPassword + "\n\n", nil, exitRefused, []string{"= no user at /user: ", "looks like the person: /member"}},
		{"error page", "page\n" + tryPassword + "\n\n", nil, exitRefused, []string{"500 is no success", "A browser would see: 502 upstream_invalid"}},
		{"nothing typed", "ada@x.test\n", nil, exitRefused, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, stdout, stderr := try(t, row.typed, row.args...)
			if code != row.exit {
				t.Errorf("exit %d, want %d: %s", code, row.exit, stderr)
			}
			for _, want := range row.want {
				if !strings.Contains(stdout, want) {
					t.Errorf("not told: %s", want)
				}
			}
			for _, mark := range []string{"MARKED", "päss", basicOf("client", tryClient)} {
				if i := strings.Index(stdout+stderr, mark); i >= 0 {
					t.Errorf("a secret is told: …%s…", (stdout + stderr)[max(0, i-60):min(len(stdout+stderr), i+40)])
				}
			}
			if t.Failed() {
				t.Log(stdout)
			}
		})
	}
}

func basicOf(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}

// TestTryUsage: wrong names are usage errors, and a password is no argument.
func TestTryUsage(t *testing.T) {
	for _, args := range [][]string{{"-frontend", "desk"}, {"-upstream", "gone"}, {"-password", "x"}, {"x"}} {
		if code, _, stderr := try(t, "", args...); code != exitUsage || strings.Contains(stderr, "MARKED") {
			t.Errorf("%q: exit %d, %s", args, code, stderr)
		}
	}
}
