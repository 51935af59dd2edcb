// Package strapi_test runs the mapping of configs/apis/strapi.yaml against a real Strapi
// from npm, with PostgreSQL.
package strapi_test

import (
	"os"
	"testing"
	"time"

	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
)

func person(name string, password ...string) []string {
	return append([]string{"email", name + "@example.com", "password"}, append(password, "a long password")[0])
}

// TestStrapi: sign-in, refusals, rotation, and sign-out, here and not elsewhere.
func TestStrapi(t *testing.T) {
	if _, err := os.Stat("app/node_modules"); err != nil {
		t.Skip("no Strapi here: .ci/prepare npm upstream/realapi/strapi/app")
	}
	env := []string{"DATABASE_URL=postgres://postgres@" + realtest.Postgres(t) + "/postgres", "PUBLIC=" + t.TempDir(), "NODE_ENV=production", "STRAPI_TELEMETRY_DISABLED=true"}
	api, ctx, now := realtest.Run(t, env, "node", "app/server.js"), t.Context(), time.Now()
	u, call := realtest.Mapping(t, "../../../configs/apis/strapi.yaml", "strapi", api), api+"/api/users/me"
	in := realtest.SignsIn(t, u, realtest.Fields(person("ada")...), realtest.Fields(person("ada", "no")...), call)
	if left := in.Credential.Expires.Sub(now); in.Subject != "1" || string(in.User["username"]) != `"ada"` || left < 9*time.Minute || left > 11*time.Minute {
		t.Errorf("subject %q, user %s, ends in %v", in.Subject, in.UserJSON(), left)
	}
	for name, want := range map[string]string{"bob": "account_disabled", "eve": "account_unverified", "nobody": mapping.InvalidCredentials} {
		if _, err := u.Ways.SignIn(ctx, realtest.Fields(person(name)...), mapping.Caller{}, now); realtest.Meaning(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	elsewhere, err := u.Ways.SignIn(ctx, realtest.Fields(person("ada")...), mapping.Caller{}, now)
	realtest.Must(t, err)
	next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
	if realtest.Status(t, call, u, next) != 200 || next.Value("refresh_token").Equal(in.Credential.Value("refresh_token")) {
		t.Error("the renewed token does not work, or the refresh token is the old one")
	}
	if _, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("the first refresh token, again: %v", err)
	}
	if elsewhere.Credential, err = u.Refresh(ctx, elsewhere.Credential, mapping.Caller{}, now); err != nil {
		t.Errorf("another device: %v", err)
	}
	realtest.Must(t, u.SignOut(ctx, next, mapping.Caller{}))
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("after the sign-out: %v", err)
	}
	if _, err := u.Refresh(ctx, elsewhere.Credential, mapping.Caller{}, now); err != nil {
		t.Errorf("another device after the sign-out: %v", err)
	}
}
