// Package directus_test runs the mapping of configs/apis/directus.yaml against a real
// Directus from npm, with PostgreSQL.
package directus_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
	"coatcheck/upstream/signin"
)

func start(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("app/node_modules"); err != nil {
		t.Skip("no Directus here: .ci/prepare npm upstream/realapi/directus/app")
	}
	host, port, err := net.SplitHostPort(realtest.Postgres(t))
	realtest.Must(t, err)
	env := []string{"DB_CLIENT=pg", "DB_HOST=" + host, "DB_PORT=" + port, "DB_DATABASE=postgres", "DB_USER=postgres", "DB_PASSWORD=none",
		"SECRET=only for this test", "ADMIN_EMAIL=ada@example.com", "ADMIN_PASSWORD=a long password", "TELEMETRY=false", "SERVE_APP=false",
		"LOG_LEVEL=error", "NO_UPDATE_NOTIFIER=1", "STORAGE_LOCAL_ROOT=" + t.TempDir(), "EXTENSIONS_PATH=" + t.TempDir()}
	tables := exec.Command("node", "app/node_modules/directus/cli.js", "bootstrap")
	tables.Env = append(os.Environ(), env...)
	if out, err := tables.CombinedOutput(); err != nil {
		t.Fatalf("bootstrap: %v: %s", err, out)
	}
	return realtest.Run(t, env, "node", "app/server.js")
}

// TestDirectus: sign-in, refusals, rotation, and sign-out, here and not elsewhere.
func TestDirectus(t *testing.T) {
	api, ctx, now := start(t), t.Context(), time.Now()
	u, call := realtest.Mapping(t, "../../../configs/apis/directus.yaml", "directus", api), api+"/users/me"
	ada := realtest.Fields("email", "ada@example.com", "password", "a long password")
	in := realtest.SignsIn(t, u, ada, realtest.Fields("email", "ada@example.com", "password", "no"), call)
	if left := in.Credential.Expires.Sub(now); len(in.Subject) != 36 || string(in.User["email"]) != `"ada@example.com"` || left < 14*time.Minute || left > 16*time.Minute {
		t.Errorf("subject %q, user %s, ends in %v", in.Subject, in.UserJSON(), left)
	}
	elsewhere, err := u.Ways.SignIn(ctx, ada, mapping.Caller{}, now)
	realtest.Must(t, err)
	next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
	if realtest.Status(t, call, u, next) != 200 || next.Value("refresh_token").Equal(in.Credential.Value("refresh_token")) {
		t.Error("the renewed token does not work, or the refresh token is the old one")
	}
	if _, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("the first refresh token, again: %v", err)
	}
	realtest.Must(t, u.SignOut(ctx, next, mapping.Caller{}))
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("after the sign-out: %v", err)
	}
	_, err = u.Refresh(ctx, elsewhere.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
	suspended(t, api, u, in.Credential)
}

// suspended: the server calls a suspended account a wrong password.
func suspended(t *testing.T, api string, u *signin.Upstream, admin *credential.Credential) {
	t.Helper()
	ask, err := http.NewRequest(http.MethodPost, api+"/users", bytes.NewBufferString(`{"email":"bob@example.com","password":"a long password","status":"suspended"}`))
	realtest.Must(t, err)
	ask.Header.Set("Content-Type", "application/json")
	ask.Header.Set("Authorization", "Bearer "+admin.Value("access_token").Reveal())
	answer, err := http.DefaultClient.Do(ask)
	realtest.Must(t, err)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("no account: %d", answer.StatusCode)
	}
	if _, err := u.Ways.SignIn(t.Context(), realtest.Fields("email", "bob@example.com", "password", "a long password"), mapping.Caller{}, time.Now()); realtest.Meaning(err) != mapping.InvalidCredentials {
		t.Errorf("suspended: %v", err)
	}
}
