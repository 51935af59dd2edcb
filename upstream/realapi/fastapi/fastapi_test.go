// Package fastapi_test runs the mapping of configs/apis/fastapi.yaml against a real
// FastAPI from Debian's packages, which signs in as its documentation shows it.
package fastapi_test

import (
	"os/exec"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
)

// python is Debian's: another one has not its packages.
const python = "/usr/bin/python3"

func start(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command(python, "-c", "import fastapi, uvicorn, multipart, jwt").CombinedOutput(); err != nil {
		t.Skipf("no FastAPI here: %v: %s", err, out)
	}
	return realtest.Program(t, python, "server.py")
}

// TestFastAPI: sign-in, refusals, and a token whose end is known and final.
func TestFastAPI(t *testing.T) {
	api, now := start(t), time.Now()
	u := realtest.Mapping(t, "../../../configs/apis/fastapi.yaml", "fastapi", api)
	in := realtest.SignsIn(t, u, realtest.Fields("email", "ada", "password", "a long password"), realtest.Fields("email", "ada", "password", "wrong"), api+"/users/me")
	if left := in.Credential.Expires.Sub(now); in.Subject != "ada" || left < 25*time.Minute || left > 31*time.Minute || u.Renews(in.Credential) {
		t.Errorf("subject %q, ends in %v, renewed: %v", in.Subject, left, u.Renews(in.Credential))
	}
	if _, err := u.Ways.SignIn(t.Context(), realtest.Fields("email", "nobody", "password", "a long password"), mapping.Caller{}, now); realtest.Meaning(err) != mapping.InvalidCredentials {
		t.Errorf("nobody: %v", err)
	}
}

// TestFastAPIDisabled: the documentation's sign-in lets a disabled person in, whose calls
// are then refused by 400.
func TestFastAPIDisabled(t *testing.T) {
	api := start(t)
	u := realtest.Mapping(t, "../../../configs/apis/fastapi.yaml", "fastapi", api)
	in, err := u.Ways.SignIn(t.Context(), realtest.Fields("email", "bob", "password", "a long password"), mapping.Caller{}, time.Now())
	realtest.Must(t, err)
	if got := realtest.Status(t, api+"/users/me", u, in.Credential); got != 400 {
		t.Errorf("a disabled person's call: %d", got)
	}
}
