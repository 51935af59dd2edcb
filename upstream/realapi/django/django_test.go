// Package django_test runs the mapping of configs/apis/simplejwt.yaml against a real
// Django with REST framework and Simple JWT, from Debian's packages.
package django_test

import (
	"bufio"
	"os/exec"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
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
	realtest.Must(t, err)
	var said strings.Builder
	server.Stderr = &said
	realtest.Must(t, server.Start())
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	port, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = server.Process.Kill()
		_ = server.Wait()
		t.Fatalf("%v: %s", err, said.String())
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// TestSimpleJWT: sign-in, refusals, renewal and sign-out, with refresh tokens that live
// on and with ones that work once.
func TestSimpleJWT(t *testing.T) {
	for _, how := range []string{"keep", "rotate"} {
		t.Run(how, func(t *testing.T) {
			api := start(t, how)
			u, ctx, now := realtest.Mapping(t, "../../../configs/apis/simplejwt.yaml", "simplejwt", api), t.Context(), time.Now()
			if _, err := u.Ways.SignIn(ctx, realtest.Fields("username", "ada", "password", "wrong"), mapping.Caller{}, now); realtest.Meaning(err) != "invalid_credentials" {
				t.Errorf("wrong password: %v", err)
			}
			in, err := u.Ways.SignIn(ctx, realtest.Fields("username", "ada", "password", "a long password"), mapping.Caller{}, now)
			realtest.Must(t, err)
			if left := in.Credential.Expires.Sub(now); in.Subject != "1" || left < 4*time.Minute || left > 6*time.Minute {
				t.Errorf("subject %q, ends in %v", in.Subject, left)
			}
			if got := realtest.Status(t, api+"/api/me/", u, in.Credential); got != 200 {
				t.Errorf("call with the token: %d", got)
			}
			if got := realtest.Status(t, api+"/api/me/", u, nil); got != 401 {
				t.Errorf("call without one: %d, so it proves nothing", got)
			}
			next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
			realtest.Must(t, err)
			if realtest.Status(t, api+"/api/me/", u, next) != 200 || !u.Renews(next) {
				t.Error("the renewed token does not work")
			}
			_, again := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
			if want := map[string]string{"keep": "", "rotate": mapping.SessionExpired}[how]; realtest.Meaning(again) != want {
				t.Errorf("the first refresh token, again: %v", again)
			}
			realtest.Must(t, u.SignOut(ctx, next, mapping.Caller{}))
			if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
				t.Errorf("after the sign-out: %v", err)
			}
		})
	}
}
