// Package fosite_test runs the mapping of configs/apis/oauth2.yaml against a real
// OAuth 2 server: Ory Fosite, which rotates refresh tokens and ends the whole family
// where one is used twice. It is a module of its own, so that the product needs none of it.
package fosite_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
	"coatcheck/upstream/signin"
)

// start runs Fosite with its example store: peter, secret; a client whose id and
// secret need encoding.
func start(t *testing.T) *httptest.Server {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	realtest.Must(t, err)
	config := &fosite.Config{GlobalSecret: []byte("0123456789abcdef0123456789abcdef"), RefreshTokenScopes: []string{}, AccessTokenLifespan: time.Hour}
	keys := func(context.Context) (any, error) { return key, nil }
	provider := compose.Compose(config, storage.NewExampleStore(),
		compose.NewOAuth2JWTStrategy(keys, compose.NewOAuth2HMACStrategy(config), config),
		compose.OAuth2ResourceOwnerPasswordCredentialsFactory, compose.OAuth2RefreshTokenGrantFactory, compose.OAuth2TokenRevocationFactory)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		session := &oauth2.JWTSession{JWTClaims: &jwt.JWTClaims{Subject: r.PostForm.Get("username")}, JWTHeader: &jwt.Headers{}}
		request, err := provider.NewAccessRequest(r.Context(), r, session)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		response, err := provider.NewAccessResponse(r.Context(), request)
		if err != nil {
			provider.WriteAccessError(r.Context(), w, request, err)
			return
		}
		provider.WriteAccessResponse(r.Context(), w, request, response)
	})
	mux.HandleFunc("POST /revoke", func(w http.ResponseWriter, r *http.Request) {
		provider.WriteRevocationResponse(r.Context(), w, provider.NewRevocationRequest(r.Context(), r))
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// fromReadyMade is the ready-made one without its token exchange, as its comment says.
func fromReadyMade(t *testing.T, s *httptest.Server, secret string) *signin.Upstream {
	t.Helper()
	text, err := os.ReadFile("../../../configs/apis/oauth2.yaml")
	realtest.Must(t, err)
	before, rest, _ := strings.Cut(string(text), "      steps:\n")
	_, after, found := strings.Cut(rest, "    refresh:\n")
	edited := strings.Replace(before, "        - {at: /access_token, step: exchange}\n", "", 1) + "    refresh:\n" + after
	if !found || strings.Contains(edited, "exchange}") {
		t.Fatal("oauth2.yaml is not as expected")
	}
	file := filepath.Join(t.TempDir(), "oauth2.yaml")
	realtest.Must(t, os.WriteFile(file, []byte(edited), 0o600))
	return realtest.Mapping(t, file, "oauth2", s.URL, "API_CLIENT_ID=encoded:client", "API_CLIENT_SECRET="+secret)
}

// TestFosite: sign-in, refusals, rotation, reuse.
func TestFosite(t *testing.T) {
	s := start(t)
	u, ctx, now := fromReadyMade(t, s, "encoded&password"), t.Context(), time.Now()
	if _, err := u.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "no"), mapping.Caller{}, now); realtest.Meaning(err) != "invalid_credentials" {
		t.Errorf("wrong password: %v", err)
	}
	in, err := u.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "secret"), mapping.Caller{}, now)
	realtest.Must(t, err)
	left := in.Credential.Expires.Sub(now)
	if in.Subject != "peter" || left < 50*time.Minute || left > 61*time.Minute || !u.Renews(in.Credential) {
		t.Fatalf("subject %q, %v left", in.Subject, left)
	}
	next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
	if next.Value("refresh_token").Equal(in.Credential.Value("refresh_token")) || next.Value("access_token").Equal(in.Credential.Value("access_token")) {
		t.Error("the tokens are the old ones")
	}
	if _, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("a refresh token twice: %v", err)
	}
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("its family: %v", err)
	}
}

// TestFositeSignOut: what was revoked renews nothing, here and nowhere else.
func TestFositeSignOut(t *testing.T) {
	s := start(t)
	u, ctx, now := fromReadyMade(t, s, "encoded&password"), t.Context(), time.Now()
	here, err := u.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "secret"), mapping.Caller{}, now)
	realtest.Must(t, err)
	elsewhere, err := u.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "secret"), mapping.Caller{}, now)
	realtest.Must(t, err)
	realtest.Must(t, u.SignOut(ctx, here.Credential, mapping.Caller{}))
	if _, err := u.Refresh(ctx, here.Credential, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("signed out, and yet: %v", err)
	}
	_, err = u.Refresh(ctx, elsewhere.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
}

// TestFositeWrongClient: an operator's fault is nobody's wrong password, and ends nothing.
func TestFositeWrongClient(t *testing.T) {
	s := start(t)
	good, bad, ctx, now := fromReadyMade(t, s, "encoded&password"), fromReadyMade(t, s, "another"), t.Context(), time.Now()
	if _, err := bad.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "secret"), mapping.Caller{}, now); !errors.Is(err, upstream.ErrInvalid) {
		t.Errorf("sign-in: %v", err)
	}
	in, err := good.Ways.SignIn(ctx, realtest.Fields("email", "peter", "password", "secret"), mapping.Caller{}, now)
	realtest.Must(t, err)
	if _, err := bad.Refresh(ctx, in.Credential, mapping.Caller{}, now); !errors.Is(err, upstream.ErrInvalid) {
		t.Errorf("refresh: %v", err)
	}
	_, err = good.Refresh(ctx, in.Credential, mapping.Caller{}, now)
	realtest.Must(t, err)
}
