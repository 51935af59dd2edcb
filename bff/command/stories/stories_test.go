// Package stories_test tells what an operator does at the command line, as scripts that
// run the built program: testdata/*.txt. It is a module of its own, so that the program
// needs nothing that only these scripts do.
package stories_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"coatcheck/bff/rig"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

// The keys that scripts use are no secrets.
const aKey = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="

func TestStories(t *testing.T) {
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	configs, err := filepath.Abs("../../../configs")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("CONFIGS", configs)
			e.Setenv("COATCHECK_KEY", aKey)
			e.Setenv("OIDC_CLIENT_SECRET", "secret")
			e.Setenv("WEBHOOK_SECRET", "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0")
			e.Setenv("REDIS_URL", "redis://127.0.0.1:6379/0")
			e.Setenv("WEBHOOK_SECRET", "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0")
			e.Setenv("BIG", strings.Repeat("x", 20000))
			e.Setenv("READY", answering(e, http.StatusOK).URL)
			e.Setenv("NOT_READY", answering(e, http.StatusServiceUnavailable).URL)
			e.Setenv("API", newAPI(e).URL)
			for name, value := range map[string]string{"API_KEY": apiKey, "CLIENT": clientSecret, "KEY": aKey} {
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "says": says, "fits": fits, "warns": warns, "suggestion": suggestion},
	})
}

// answering is an admin listener that answers every probe of /readyz alike.
func answering(e *testscript.Env, status int) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusTeapot
		}
		w.WriteHeader(status)
	}))
	e.Defer(s.Close)
	return s
}

// exits runs a command and wants this code of it: exits 2 coatcheck serve --nothing.
// Standard input is the script's file stdin, if there is one.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s exited with %d, not %d", strings.Join(args[1:], " "), got, want)
	}
	leaks(ts)
}

// says wants texts in standard output in this order, whatever the breaks of lines:
// says 'guard passes' '404 not_found'.
func says(ts *testscript.TestScript, neg bool, args []string) {
	rest := strings.Join(strings.Fields(ts.ReadFile("stdout")), " ")
	if neg {
		for _, text := range args {
			if strings.Contains(rest, text) {
				ts.Fatalf("%q in %s", text, rest)
			}
		}
		return
	}
	for _, text := range args {
		_, after, found := strings.Cut(rest, text)
		if !found {
			ts.Fatalf("no %q in what is left: %s", text, rest)
		}
		rest = after
	}
}

// suggestion makes a whole configuration, in a file, of what try has just suggested.
func suggestion(ts *testscript.TestScript, _ bool, args []string) {
	_, rest, found := strings.Cut(ts.ReadFile("stdout"), "? worth trying, in upstreams.api.login:\n")
	written, _, _ := strings.Cut(rest, "\n\n")
	if !found || written == "" {
		ts.Fatalf("nothing is suggested")
	}
	whole := "sessions: {store: \"memory://\", keys: [\"" + aKey + "\"]}\n" +
		"frontends: {shop: {origins: [\"https://shop.example.com\"], login: {upstream: api, fields: [email, password]}}}\n" +
		"upstreams:\n  api:\n    url: https://api.example.net\n    login:\n      request: {path: /login, body: {e: \"{email}\", p: \"{password}\"}}\n" +
		written + "\n"
	if !strings.Contains(written, "access_token") {
		whole += "      credential: {access_token: /t}\n"
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(whole), 0o600))
}

// fits wants lines of so many bytes at most.
func fits(ts *testscript.TestScript, _ bool, args []string) {
	most, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if len(line) > most {
			ts.Fatalf("too wide: %s", line)
		}
	}
}

// warns wants a text in standard error, whatever the breaks of lines.
func warns(ts *testscript.TestScript, _ bool, args []string) {
	said := strings.Join(strings.Fields(ts.ReadFile("stderr")), " ")
	if !strings.Contains(said, args[0]) {
		ts.Fatalf("no %q in %s", args[0], said)
	}
}

// basic is what a client of the scripts sends by HTTP Basic.
var basic = base64.StdEncoding.EncodeToString([]byte("client:" + clientSecret))

// leaks wants no secret in what was said. Each that a script knows holds this mark.
func leaks(ts *testscript.TestScript) {
	for _, stream := range []string{"stdout", "stderr"} {
		said := ts.ReadFile(stream)
		if strings.Contains(said, "MARKED") || strings.Contains(said, "päss") || strings.Contains(said, basic) {
			ts.Fatalf("a secret was said: %s", said)
		}
	}
}
