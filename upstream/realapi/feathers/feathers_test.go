// Package feathers_test runs the mapping of configs/apis/feathers.yaml against a real
// Feathers, from npm.
package feathers_test

import (
	"os"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
)

// TestFeathers: sign-in, refusals, a token whose end is known and final, and sign-out,
// which tells the service and ends no token.
func TestFeathers(t *testing.T) {
	if _, err := os.Stat("app/node_modules"); err != nil {
		t.Skip("no Feathers here: .ci/prepare npm upstream/realapi/feathers/app")
	}
	api, now := realtest.Program(t, "node", "app/server.js"), time.Now()
	u := realtest.Mapping(t, "../../../configs/apis/feathers.yaml", "feathers", api)
	call := api + "/users/1"
	in := realtest.SignsIn(t, u, realtest.Fields("email", "ada@example.com", "password", "a long password"), realtest.Fields("email", "ada@example.com", "password", "no"), call)
	if left := in.Credential.Expires.Sub(now); in.Subject != "1" || string(in.User["email"]) != `"ada@example.com"` || left < 55*time.Minute || left > 61*time.Minute || u.Renews(in.Credential) {
		t.Errorf("subject %q, user %s, ends in %v, renewed: %v", in.Subject, in.UserJSON(), left, u.Renews(in.Credential))
	}
	realtest.Must(t, u.SignOut(t.Context(), in.Credential, mapping.Caller{}))
	if got := realtest.Status(t, call, u, in.Credential); got != 200 {
		t.Errorf("after the sign-out: %d: the file says that the token lives on", got)
	}
}
