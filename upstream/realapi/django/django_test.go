// Package django_test runs the mappings of configs/apis/simplejwt.yaml and drf_token.yaml
// against a real Django with REST framework and Simple JWT, from Debian's packages.
package django_test

import (
	"os/exec"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
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
	return realtest.Program(t, python, "server.py", how)
}

// TestSimpleJWT: sign-in, refusals, renewal and sign-out, with refresh tokens that live
// on and with ones that work once.
func TestSimpleJWT(t *testing.T) {
	for _, how := range []string{"keep", "rotate"} {
		t.Run(how, func(t *testing.T) {
			api := start(t, how)
			u, ctx, now := realtest.Mapping(t, "../../../configs/apis/simplejwt.yaml", "simplejwt", api), t.Context(), time.Now()
			in := realtest.SignsIn(t, u, realtest.Fields("username", "ada", "password", "a long password"), realtest.Fields("username", "ada", "password", "wrong"), api+"/api/me/")
			if left := in.Credential.Expires.Sub(now); in.Subject != "1" || left < 4*time.Minute || left > 6*time.Minute {
				t.Errorf("subject %q, ends in %v", in.Subject, left)
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

// TestTokenAuthentication: the framework's own view, obtain_auth_token, instead of
// dj-rest-auth's, as the file says; the one token of a person ends everywhere at once.
func TestTokenAuthentication(t *testing.T) {
	api, ctx, now := start(t, "token"), t.Context(), time.Now()
	file := realtest.Edited(t, "../../../configs/apis/drf_token.yaml", "path: /dj-rest-auth/login/", "path: /api/token/", "access_token: /key", "access_token: /token",
		"path: /dj-rest-auth/user/, subject: /pk", "path: /api/me/, subject: /name", "path: /dj-rest-auth/logout/", "path: /api/logout/")
	u, right := realtest.Mapping(t, file, "drf_token", api), realtest.Fields("username", "ada", "password", "a long password")
	in := realtest.SignsIn(t, u, right, realtest.Fields("username", "ada", "password", "wrong"), api+"/api/me/")
	if in.Subject != "ada" || u.Renews(in.Credential) {
		t.Errorf("subject %q, renewed: %v", in.Subject, u.Renews(in.Credential))
	}
	if _, err := u.Ways.SignIn(ctx, realtest.Fields("username", "bob", "password", "a long password"), mapping.Caller{}, now); realtest.Meaning(err) != mapping.InvalidCredentials {
		t.Errorf("a disabled account: %v", err)
	}
	again, err := u.Ways.SignIn(ctx, right, mapping.Caller{}, now)
	realtest.Must(t, err)
	realtest.Must(t, u.SignOut(ctx, in.Credential, mapping.Caller{}))
	for device, c := range map[string]*signin.SignedIn{"here": in, "elsewhere": again} {
		if got := realtest.Status(t, api+"/api/me/", u, c.Credential); got != 401 {
			t.Errorf("after the sign-out, %s: %d", device, got)
		}
	}
}
