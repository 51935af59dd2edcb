// Package parse_test runs the mapping of configs/apis/parse.yaml against a real Parse
// Server from npm, with PostgreSQL.
package parse_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
)

const file = "../../../configs/apis/parse.yaml"

func start(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("app/node_modules"); err != nil {
		t.Skip("no Parse Server here: .ci/prepare npm upstream/realapi/parse/app")
	}
	return realtest.Run(t, []string{"PARSE_SERVER_LOGS_FOLDER=" + t.TempDir()}, "node", "app/server.js", "postgres://postgres@"+realtest.Postgres(t)+"/postgres") + "/parse"
}

// TestParse: sign-in, refusals, an operator's fault, and sign-out, here and not elsewhere.
func TestParse(t *testing.T) {
	api, ctx, now := start(t), t.Context(), time.Now()
	u, call := realtest.Mapping(t, file, "parse", api), api+"/users/me"
	ada := realtest.Fields("username", "ada", "password", "a long password")
	wrong := realtest.Mapping(t, file, "parse", api, "PARSE_APP_ID=another")
	if _, err := wrong.Ways.SignIn(ctx, ada, mapping.Caller{}, now); !errors.Is(err, upstream.ErrInvalid) {
		t.Errorf("wrong application: %v", err)
	}
	in := realtest.SignsIn(t, u, ada, realtest.Fields("username", "ada", "password", "no"), call)
	if in.Subject == "" || string(in.User["username"]) != `"ada"` || u.Renews(in.Credential) {
		t.Errorf("subject %q, user %s", in.Subject, in.UserJSON())
	}
	elsewhere, err := u.Ways.SignIn(ctx, ada, mapping.Caller{}, now)
	realtest.Must(t, err)
	if alive, err := u.Verify(ctx, in.Credential, mapping.Caller{}); err != nil || !alive {
		t.Errorf("verify: %v, %v", alive, err)
	}
	realtest.Must(t, u.SignOut(ctx, in.Credential, mapping.Caller{}))
	if alive, err := u.Verify(ctx, in.Credential, mapping.Caller{}); err != nil || alive || !u.VerifyAfter(realtest.Status(t, call, u, in.Credential)) {
		t.Errorf("verify after the sign-out: %v, %v", alive, err)
	}
	if alive, err := u.Verify(ctx, elsewhere.Credential, mapping.Caller{}); err != nil || !alive {
		t.Errorf("verify elsewhere: %v, %v", alive, err)
	}
}

// TestParseLocked: after too many wrong passwords the account is locked, for the right
// one as well.
func TestParseLocked(t *testing.T) {
	u := realtest.Mapping(t, file, "parse", start(t))
	for n, want := range []string{mapping.InvalidCredentials, mapping.InvalidCredentials, mapping.InvalidCredentials, "account_locked"} {
		if _, err := u.Ways.SignIn(t.Context(), realtest.Fields("username", "eve", "password", "no"), mapping.Caller{}, time.Now()); realtest.Meaning(err) != want {
			t.Errorf("wrong password %d: %v", n+1, err)
		}
	}
	if _, err := u.Ways.SignIn(t.Context(), realtest.Fields("username", "eve", "password", "a long password"), mapping.Caller{}, time.Now()); realtest.Meaning(err) != "account_locked" {
		t.Errorf("right password: %v", err)
	}
}
