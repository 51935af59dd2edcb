// Package django_test runs the mapping of configs/apis/simplejwt.yaml against a real
// Django with REST framework and Simple JWT, from Debian's packages.
package django_test

import (
	"bufio"
	"encoding/base64"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// python is Debian's: another one has not its packages.
const python = "/usr/bin/python3"

// start runs a server and returns its address.
func start(t *testing.T, how string) string {
	t.Helper()
	if out, err := exec.Command(python, "-c", "import rest_framework_simplejwt").CombinedOutput(); err != nil {
		t.Skipf("no Django with Simple JWT here: %v: %s", err, out)
	}
	server := exec.Command(python, "server.py", how)
	out, err := server.StdoutPipe()
	must(t, err)
	var said strings.Builder
	server.Stderr = &said
	must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = server.Process.Kill()
		_ = server.Wait()
		t.Fatalf("%v: %s", err, said.String())
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ready is the ready-made mapping, at the server.
func ready(t *testing.T, api string) *signin.Upstream {
	t.Helper()
	env := map[string]string{"API_URL": api, "REDIS_URL": "memory://", "COATCHECK_KEY": base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv"))}
	config, faults := read.File("../../../configs/apis/simplejwt.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if config == nil {
		t.Fatal(faults)
	}
	set, err := signin.New(config.Upstreams, signin.Options{})
	must(t, err)
	t.Cleanup(set.Close)
	return set.Get("simplejwt")
}

func person(password string) map[string]credential.Secret {
	return map[string]credential.Secret{"username": credential.NewSecret("ada"), "password": credential.NewSecret(password)}
}

func meaning(err error) string {
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) {
		return refusal.Meaning
	}
	if err != nil {
		return "fault"
	}
	return ""
}

// status is what the API says to a call that carries the person; nil: nobody.
func status(t *testing.T, api string, u *signin.Upstream, c *credential.Credential) int {
	t.Helper()
	ask, err := http.NewRequest(http.MethodGet, api+"/api/me/", nil)
	must(t, err)
	if c != nil {
		name, value, _ := strings.Cut(strings.TrimSpace(string(u.AppendSend(nil, c, mapping.Caller{}))), ": ")
		ask.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(ask)
	must(t, err)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestSimpleJWT: sign-in, refusals, renewal and sign-out, with refresh tokens that live
// on and with ones that work once.
func TestSimpleJWT(t *testing.T) {
	for _, how := range []string{"keep", "rotate"} {
		t.Run(how, func(t *testing.T) {
			api := start(t, how)
			u, ctx, now := ready(t, api), t.Context(), time.Now()
			if _, err := u.Ways.SignIn(ctx, person("wrong"), mapping.Caller{}, now); meaning(err) != "invalid_credentials" {
				t.Errorf("wrong password: %v", err)
			}
			in, err := u.Ways.SignIn(ctx, person("a long password"), mapping.Caller{}, now)
			must(t, err)
			if left := in.Credential.Expires.Sub(now); in.Subject != "1" || left < 4*time.Minute || left > 6*time.Minute {
				t.Errorf("subject %q, ends in %v", in.Subject, left)
			}
			if got := status(t, api, u, in.Credential); got != 200 {
				t.Errorf("call with the token: %d", got)
			}
			if got := status(t, api, u, nil); got != 401 {
				t.Errorf("call without one: %d, so it proves nothing", got)
			}
			next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
			must(t, err)
			if status(t, api, u, next) != 200 || !u.Renews(next) {
				t.Error("the renewed token does not work")
			}
			_, again := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
			if want := map[string]string{"keep": "", "rotate": mapping.SessionExpired}[how]; meaning(again) != want {
				t.Errorf("the first refresh token, again: %v", again)
			}
			must(t, u.SignOut(ctx, next, mapping.Caller{}))
			if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); meaning(err) != mapping.SessionExpired {
				t.Errorf("after the sign-out: %v", err)
			}
		})
	}
}
