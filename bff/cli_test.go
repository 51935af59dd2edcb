package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the program as a shell would.
func command(env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	getenv := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	code = run(context.Background(), append([]string{"coatcheck"}, args...), getenv, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"nothing"}, {"serve", "--nothing"}, {"check", "x"}, {"keygen", "x"}, {"check", "-config"}} {
		code, _, stderr := command(nil, args...)
		if code != exitUsage || !strings.Contains(stderr, "coatcheck --help") || strings.Count(stderr, "coatcheck: ") != 1 {
			t.Errorf("%q: exit %d, %q", args, code, stderr)
		}
	}
	code, stdout, _ := command(nil, "--help")
	if code != exitDone || !strings.Contains(stdout, "keygen") {
		t.Errorf("help: exit %d, %q", code, stdout)
	}
}

func TestKeygen(t *testing.T) {
	_, first, _ := command(nil, "keygen")
	code, second, _ := command(nil, "keygen")
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(second))
	if code != exitDone || err != nil || len(key) != 32 || first == second {
		t.Errorf("exit %d, %q, %q", code, first, second)
	}
}

func TestVersionAndSchema(t *testing.T) {
	if code, stdout, _ := command(nil, "version"); code != exitDone || !strings.HasPrefix(stdout, "coatcheck dev (") || !strings.Contains(stdout, "go1.") {
		t.Errorf("version: exit %d, %q", code, stdout)
	}
	code, stdout, _ := command(nil, "schema")
	if code != exitDone || !json.Valid([]byte(stdout)) {
		t.Errorf("schema: exit %d", code)
	}
}

func TestCheck(t *testing.T) {
	good := filepath.Join("..", "configs", "example.yaml")
	env := map[string]string{"REDIS_URL": "redis://127.0.0.1:6379/0", "COATCHECK_KEY": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k9"), 16)),
		"WEBHOOK_SECRET": "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0"}
	for _, flag := range []string{"-config", "--config"} {
		if code, stdout, stderr := command(env, "check", flag, good); code != exitDone || !strings.Contains(stdout, "no faults") {
			t.Errorf("%s: exit %d, %q %q", flag, code, stdout, stderr)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("listen: 1\nlisten: 2\nsurprise: ${NOT_SET}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(nil, "check", "-config", bad)
	if code != exitRefused || strings.Count(stderr, bad+":") < 3 || !strings.Contains(stderr, ":2:") || !strings.Contains(stderr, "surprise") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if code, _, stderr := command(nil, "serve", "-config", "/nowhere.yaml"); code != exitRefused || !strings.Contains(stderr, "/nowhere.yaml") {
		t.Errorf("no file: exit %d, %s", code, stderr)
	}
}

func TestHealthcheck(t *testing.T) {
	status := 200
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			t.Errorf("asked %s", r.URL.Path)
		}
		w.WriteHeader(status)
	}))
	defer s.Close()
	if code, _, stderr := command(nil, "healthcheck", "-admin", s.URL); code != exitDone {
		t.Errorf("ready: exit %d, %s", code, stderr)
	}
	status = 503
	if code, _, _ := command(nil, "healthcheck", "--admin", s.URL+"/"); code != exitRefused {
		t.Errorf("not ready: exit %d", code)
	}
	for _, wrong := range []string{"no url", "127.0.0.1:9090", "ftp://127.0.0.1", "http://"} {
		if code, _, _ := command(nil, "healthcheck", "--admin", wrong); code != exitUsage {
			t.Errorf("%s: exit %d", wrong, code)
		}
	}
	s.Close()
	if code, _, _ := command(nil, "healthcheck", "--admin", s.URL); code != exitRefused {
		t.Errorf("nobody there: exit %d", code)
	}
}
