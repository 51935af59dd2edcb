// Package jsonserverauth_test runs the mapping of configs/apis/json_server_auth.yaml against
// a real json-server-auth, from npm.
package jsonserverauth_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
	"coatcheck/upstream/signin"
)

// TestJSONServerAuth: sign-in, refusals, a token whose end is known and final, and a sign-up
// that signs in.
func TestJSONServerAuth(t *testing.T) {
	if _, err := os.Stat("app/node_modules"); err != nil {
		t.Skip("no json-server-auth here: .ci/prepare npm upstream/realapi/jsonserverauth/app")
	}
	api, now := realtest.Program(t, "node", "app/server.js"), time.Now()
	u := realtest.Mapping(t, "../../../configs/apis/json_server_auth.yaml", "json_server_auth", api)
	call := api + "/notes"
	in := realtest.SignsIn(t, u, realtest.Fields("email", "ada@example.com", "password", "a long password"), realtest.Fields("email", "ada@example.com", "password", "no"), call)
	if left := in.Credential.Expires.Sub(now); in.Subject != "1" || string(in.User["email"]) != `"ada@example.com"` || left < 55*time.Minute || left > 61*time.Minute || u.Renews(in.Credential) {
		t.Errorf("subject %q, user %s, ends in %v, renewed: %v", in.Subject, in.UserJSON(), left, u.Renews(in.Credential))
	}
	signUp := func(email, password string) (*signin.SignedIn, error) {
		return u.Ways.SignInBy(t.Context(), signin.Way{Name: "sign_up"}, &mapping.Values{Fields: realtest.Fields("email", email, "password", password)}, time.Now())
	}
	grace, err := signUp("grace@example.com", "another password")
	realtest.Must(t, err)
	if got := realtest.Status(t, call, u, grace.Credential); got != 200 || grace.Subject != "2" {
		t.Errorf("after a sign-up: %d, subject %q", got, grace.Subject)
	}
	for name, wrong := range map[string][2]string{"taken": {"ada@example.com", "a long password"}, "short": {"radia@example.com", "no"}, "malformed": {"radia", "a long password"}} {
		var refusal *mapping.Refusal
		if _, err := signUp(wrong[0], wrong[1]); !errors.As(err, &refusal) || refusal.Meaning != mapping.InvalidFields {
			t.Errorf("%s: %v", name, err)
		}
	}
}
