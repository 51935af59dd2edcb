package signin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// mark stands in everything that must not come out: the password, tokens, the
// operator's keys, and every byte that an API answers.
const mark = "MARKED"

const markedMapping = `
send: {headers: {apikey: MARKED-apikey, Authorization: "Bearer {access_token}"}}
login:
  request: {path: "/login", query: {key: MARKED-key}, basic: [MARKED-id, MARKED-secret], headers: {X-Key: MARKED-header}, body: {email: "{email}", password: "{password}", secret: MARKED-body}}
  credential: {access_token: /token, refresh_token: /refresh, expires_in: /expires, link: {header: X-Link}}
  user: {from: request, path: "{link}", subject: /name}
  answers: [{at: /refuse, means: invalid_fields}, {at: /mfa, step: otp}, {at: /odd, means: upstream_invalid}]
  steps: {otp: {fields: [otp], keep: {mfa: /mfa}, request: {path: /otp, query: {key: MARKED-key}, body: {m: "{mfa}", o: "{otp}"}}}}
refresh:
  request: {path: /refresh, query: {key: MARKED-key}, body: {refresh_token: "{refresh_token}"}}
logout: {request: {path: /logout, query: {key: MARKED-key}}}
verify: {request: {path: "{link}", query: {key: MARKED-key}}}
`

// No error, log line or printed value holds a secret or a byte of an answer.
func TestNoSecretComesOut(t *testing.T) {
	logs := captureLogs(t)
	broken := map[string]string{
		"no HTTP":    "MARKED nonsense\r\n\r\n",
		"bad header": "HTTP/1.1 200 OK\r\nMARKED\x00: MARKED\r\n\r\n",
		"bad status": "HTTP/1.1 MARKED MARKED\r\n\r\n",
		"bad chunk":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nMARKED\r\n",
		"bad length": "HTTP/1.1 200 OK\r\nContent-Length: MARKED\r\n\r\n",
		"bad coding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: MARKED\r\n\r\n",
		"bad place":  "HTTP/1.1 302 MARKED\r\nLocation: http://%MARKED\r\nContent-Length: 0\r\n\r\n",
	}
	for name, text := range broken {
		t.Run(name, func(t *testing.T) {
			everyError(t, markedAt(t, "http://"+rawAPI(t, saying(text)), ""))
		})
	}
	for name, body := range map[string]string{
		"no JSON":      "MARKED",
		"odd token":    `{"token":"MARKED MARKED"}`,
		"odd type":     `{"token":"MARKED","token_type":"MARKED"}`,
		"odd end":      `{"token":"MARKED","expires":"MARKED"}`,
		"refused":      `{"refuse":{"MARKED":"MARKED","email":"MARKED"}}`,
		"step":         `{"mfa":{"MARKED":1}}`,
		"called odd":   `{"odd":"MARKED"}`,
		"good to here": `{"token":"MARKED-token","refresh":"MARKED-refresh"}`,
	} {
		for status, link := range map[int]string{200: "//MARKED.test/MARKED", 401: "/MARKED", 201: "/MARKED"} {
			t.Run(fmt.Sprint(name, " ", status), func(t *testing.T) {
				api := newStandIn(t, reply{status: status, header: map[string]string{"X-Link": link}, body: body},
					reply{status: 500, body: "MARKED"})
				everyError(t, markedAt(t, api.URL, api.ca))
			})
		}
	}
	t.Run("refused connection", func(t *testing.T) {
		everyError(t, markedAt(t, "http://127.0.0.1:"+freeport.Text(t), ""))
	})
	t.Run("unknown authority", func(t *testing.T) {
		everyError(t, markedAt(t, newStandIn(t, reply{status: 200}).URL, ""))
	})
	t.Run("slow", func(t *testing.T) {
		never := make(chan struct{})
		t.Cleanup(func() { close(never) })
		api := newStandIn(t, reply{status: 200, delay: never})
		u := markedAt(t, api.URL, api.ca)
		everyError(t, u)
	})
	if text := logs(); strings.Contains(text, mark) {
		t.Errorf("the log says %q", text)
	}
}

// captureLogs takes over what the process logs and prints, until the test ends.
func captureLogs(t *testing.T) func() string {
	t.Helper()
	var std bytes.Buffer
	before := slog.Default()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, stdout := os.Stderr, os.Stdout
	os.Stderr, os.Stdout = w, w
	log.SetOutput(&std)
	slog.SetDefault(slog.New(slog.NewTextHandler(&std, &slog.HandlerOptions{Level: slog.LevelDebug})))
	return func() string {
		os.Stderr, os.Stdout = stderr, stdout
		slog.SetDefault(before)
		log.SetOutput(os.Stderr)
		_ = w.Close()
		printed, _ := io.ReadAll(r)
		return std.String() + string(printed)
	}
}

func markedAt(t *testing.T, url, ca string) *signin.Upstream {
	t.Helper()
	cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(markedMapping), "\n", "\n  "))
	cfg["api"].URL, cfg["api"].CA = url, ca
	cfg["api"].Login.Timeout = 2 * time.Second
	return newSet(t, cfg).Get("api")
}

// everyError asks the API in every way, and looks through what comes of it.
func everyError(t *testing.T, u *signin.Upstream) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	held := holding("access_token", "MARKED-token", "refresh_token", "MARKED-refresh", "link", "/MARKED")
	fields := secrets("email", "MARKED@x.test", "password", "MARKED-password")
	in, err := u.Ways.SignIn(ctx, fields, browser(), now)
	silent(t, in, err)
	in, err = u.Ways.Continue(ctx, "otp", secrets("mfa", "MARKED"), secrets("otp", "MARKED"), browser(), now)
	silent(t, in, err)
	next, err := u.Refresh(ctx, held, browser(), now)
	silent(t, next, err)
	_, err = u.Verify(ctx, held, browser())
	silent(t, nil, err)
	silent(t, nil, u.SignOut(ctx, held, browser()))
	silent(t, u, nil)
	_, err = u.Ways.SignIn(ctx, secrets("email", "MARKED\r\n", "password", "MARKED"), mapping.Caller{UserAgent: mark, RequestID: mark}, now)
	silent(t, nil, err)
}

func silent(t *testing.T, v any, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		if text := fmt.Sprintf("%v %+v %#v %q", e, e, e, e); strings.Contains(text, mark) {
			t.Errorf("an error says %s", text)
		}
	}
	if in, ok := v.(*signin.SignedIn); ok && in != nil {
		v = in.Credential // the user is what a browser may see
		if in.Step != nil {
			v = in.Step
		}
	}
	if text := fmt.Sprintf("%v %+v %#v", v, v, v); strings.Contains(text, mark) {
		t.Errorf("printed as %.300s", text)
	}
}

// A fault of the configuration does not repeat the operator's secrets.
func TestFaultsKeepSecrets(t *testing.T) {
	secret := mapping.Template{Secret: credential.NewSecret("MARKED{x")}
	for name, c := range map[string]*configs.Upstream{
		"url":      {URL: "https://MARKED:MARKED@api.example.net"},
		"query":    {URL: "https://api.example.net/?MARKED"},
		"request":  {URL: "https://api.example.net", Logout: &configs.Logout{}},
		"basic":    {URL: "https://api.example.net", Logout: &configs.Logout{Request: &mapping.Request{Path: "/x", Basic: []mapping.Template{secret}}}},
		"body":     {URL: "https://api.example.net", Logout: &configs.Logout{Request: &mapping.Request{Path: "/x", Encoding: "form", Body: mapping.NewBody("MARKED")}}},
		"path":     {URL: "https://api.example.net", Logout: &configs.Logout{Request: &mapping.Request{Path: "/x?MARKED"}}},
		"upstream": {URL: "https://api.example.net", Logout: &configs.Logout{Request: &mapping.Request{Path: "/x", Upstream: "none"}}},
	} {
		_, err := signin.New(map[string]*configs.Upstream{"api": c}, signin.Options{})
		if err == nil || strings.Contains(err.Error(), mark) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
