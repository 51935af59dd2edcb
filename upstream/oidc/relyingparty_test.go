package oidc_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

// TestSignIn: the whole flow, and what is known of the person after it.
func TestSignIn(t *testing.T) {
	r := newRig(t, nil)
	got := r.mustSignIn(nil, nil)
	if got.Provider != "test" || got.Subject != "p-1" || got.SessionID == "" {
		t.Errorf("%+v", got)
	}
	if user := string(got.UserJSON()); !strings.Contains(user, `"email":"ada@shop.example"`) || strings.Contains(user, "nonce") || strings.Contains(user, "at_hash") {
		t.Error(user)
	}
	for _, name := range []string{credential.AccessToken, credential.RefreshToken, oidc.IDToken} {
		if got.Credential.Value(name).IsEmpty() {
			t.Error(name, "is missing")
		}
	}
	if left := got.Credential.Expires.Sub(r.clock.Now()); left != 5*time.Minute {
		t.Error(left)
	}
	calls := r.requests("/token")
	if len(calls) != 1 || calls[0].form.Get("redirect_uri") != redirectURI || calls[0].form.Get("code_verifier") != verifier {
		t.Errorf("%v", calls)
	}
	if auth := calls[0].header.Get("Authorization"); !strings.HasPrefix(auth, "Basic ") || calls[0].form.Has("client_secret") {
		t.Errorf("client_secret_basic is the default: %q", auth)
	}
}

// outcome is what a sign-in may end with.
var (
	accepted    error
	refusedHere = oidc.ErrFailed
)

// TestRelyingParty is the table of the OpenID Foundation's tests of a relying party,
// by their names, and of what belongs beside them.
func TestRelyingParty(t *testing.T) {
	gold, hour := []string{"gold"}, 10*time.Minute
	for _, row := range []struct {
		sin    provider.Sin
		want   error
		reason string
		config func(*configs.Provider)
		ask    func(*oidc.Request)
	}{
		{sin: provider.NonceInvalid, want: refusedHere, reason: "nonce"},
		{sin: provider.NonceMissing, want: refusedHere, reason: "nonce"},
		{sin: provider.NonceMissing, want: accepted, config: func(c *configs.Provider) { c.Nonce = "off" }},
		{sin: provider.NonceInvalid, want: refusedHere, reason: "nonce", config: func(c *configs.Provider) { c.Nonce = "off" }},
		{sin: provider.InvalidIss, want: refusedHere, reason: "different provider"},
		{sin: provider.MissingAud, want: refusedHere, reason: "audience"},
		{sin: provider.InvalidAud, want: refusedHere, reason: "audience"},
		{sin: provider.ExtraAud, want: refusedHere, reason: "aud"},
		{sin: provider.ExtraAud, want: accepted, config: func(c *configs.Provider) { c.Audiences = []string{"somebody-else"} }},
		{sin: provider.ExtraAudNoAzp, want: refusedHere, reason: "azp", config: func(c *configs.Provider) { c.Audiences = []string{"somebody-else"} }},
		{sin: provider.OtherAzp, want: refusedHere, reason: "azp"},
		{sin: provider.MissingSub, want: refusedHere, reason: "sub"},
		{sin: provider.EmptySub, want: refusedHere, reason: "sub"},
		{sin: provider.MissingIat, want: refusedHere, reason: "iat"},
		{sin: provider.FutureIat, want: refusedHere, reason: "iat"},
		{sin: provider.MissingExp, want: refusedHere, reason: "expired"},
		{sin: provider.Expired, want: refusedHere, reason: "expired"},
		{sin: provider.NotYet, want: refusedHere, reason: "nbf"},
		{sin: provider.NotYetByMinutes, want: refusedHere, reason: "nbf"},
		{sin: provider.SubTwice, want: refusedHere, reason: "other letters"},
		{sin: provider.TypLogoutToken, want: refusedHere, reason: "another kind"},
		{sin: provider.TypAccessToken, want: refusedHere, reason: "another kind"},
		{sin: provider.TypNumber, want: refusedHere, reason: "another kind"},
		{sin: provider.TypProof, want: refusedHere, reason: "another kind"},
		{sin: provider.IatText, want: refusedHere, reason: "iat is not a number"},
		{sin: provider.ExpText, want: refusedHere, reason: "exp is not a number"},
		{sin: provider.NbfText, want: refusedHere, reason: "nbf is not a number"},
		{sin: provider.AuthTimeText, want: refusedHere, reason: "auth_time is not a number"},
		{sin: provider.EmptyAtHash, want: refusedHere, reason: "at_hash"},
		{sin: provider.TypUnheardOf, want: refusedHere, reason: "another kind"},
		{sin: provider.TypAbsent, want: accepted},
		{sin: provider.TypInFull, want: accepted},
		{sin: provider.CritEmpty, want: refusedHere, reason: "must be understood"},
		{sin: provider.WithEvents, want: refusedHere, reason: "another kind"},
		{sin: provider.LineBreak, want: refusedHere, reason: "characters"},
		{sin: provider.AMRText, want: accepted},
		{sin: provider.InvalidAtHash, want: refusedHere, reason: "at_hash"},
		{sin: provider.InvalidSigRS256, want: refusedHere, reason: "signature"},
		{sin: provider.InvalidSigES256, want: refusedHere, reason: "signature"},
		{sin: provider.InvalidSigHS256, want: refusedHere, reason: "malformed"},
		{sin: provider.SigNone, want: refusedHere, reason: "malformed"},
		{sin: provider.HMACWithPublicKey, want: refusedHere, reason: "malformed"},
		{sin: provider.HMACWithSecret, want: refusedHere, reason: "malformed"},
		{sin: provider.AlgUnannounced, want: refusedHere, reason: "malformed"},
		{sin: provider.KeyInHeader, want: refusedHere, reason: "signature"},
		{sin: provider.SignedRS256, want: accepted},
		{sin: provider.SignedES256, want: accepted},
		{sin: provider.SignedPS256, want: accepted},
		{sin: provider.SignedEdDSA, want: accepted},
		{sin: provider.KidAbsentSingle, want: accepted},
		{sin: provider.KidAbsentMultiple, want: refusedHere, reason: "does not publish"},
		{sin: provider.KidUnknown, want: refusedHere, reason: "does not publish"},
		{sin: provider.KeyForEncryption, want: refusedHere, reason: "does not publish"},
		{sin: provider.WeakKey, want: refusedHere, reason: "does not publish"},
		{sin: provider.MissingIDToken, want: refusedHere, reason: "none"},
		{sin: provider.GarbageIDToken, want: refusedHere, reason: "malformed"},
		{sin: provider.RotatedJustBefore, want: accepted},
		{sin: provider.KeysUnparseable, want: accepted},
		{sin: provider.OtherACR, want: refusedHere, reason: "acr", ask: func(q *oidc.Request) { q.ACR = gold }},
		{sin: "acr-as-asked", want: accepted, ask: func(q *oidc.Request) { q.ACR = gold }},
		{sin: provider.AuthTimeMissing, want: refusedHere, reason: "auth_time", ask: func(q *oidc.Request) { q.MaxAge = &hour }},
		{sin: provider.AuthTimeMissing, want: accepted},
		{sin: provider.AuthTimeOld, want: refusedHere, reason: "max_age", ask: func(q *oidc.Request) { q.MaxAge = &hour }},
		{sin: provider.AuthTimeFuture, want: refusedHere, reason: "future", ask: func(q *oidc.Request) { q.MaxAge = &hour }},
		{sin: "max-age-held", want: accepted, ask: func(q *oidc.Request) { q.MaxAge = &hour }},
		{sin: provider.UserinfoInvalidSub, want: refusedHere, reason: "sub", config: userinfo},
		{sin: provider.UserinfoMissingSub, want: refusedHere, reason: "sub", config: userinfo},
		{sin: provider.UserinfoGarbage, want: refusedHere, reason: "JSON", config: userinfo},
		{sin: provider.UserinfoError, want: refusedHere, reason: "insufficient_scope", config: userinfo},
		{sin: "oidcc-client-test-userinfo-bearer-header", want: accepted, config: userinfo},
		{sin: "oidcc-client-test-client-secret-basic", want: accepted},
		{sin: "client-secret-post", want: accepted, config: func(c *configs.Provider) { c.ClientAuth = "post" }},
		{sin: provider.DiscoveryIssuerMismatch, want: refusedHere, reason: "another issuer"},
		{sin: provider.DiscoveryIssuerSlash, want: refusedHere, reason: "another issuer"},
		{sin: provider.DiscoveryPlainEndpoint, want: refusedHere, reason: "plain http"},
		{sin: provider.DiscoveryPrivate, want: upstream.ErrUnreachable, reason: "not allowed"},
		{sin: provider.DiscoveryMetadataHost, want: upstream.ErrUnreachable, reason: "not allowed"},
		{sin: provider.DiscoveryUserInfo, want: refusedHere, reason: "user name"},
		{sin: provider.DiscoveryFragment, want: refusedHere, reason: "fragment"},
		{sin: provider.DiscoveryScript, want: refusedHere, reason: "URL"},
		{sin: provider.DiscoveryHuge, want: refusedHere, reason: "too large"},
		{sin: provider.DiscoveryRedirect, want: refusedHere, reason: "status 302"},
		{sin: provider.DiscoveryGarbage, want: refusedHere, reason: "JSON"},
		{sin: provider.DiscoveryNoToken, want: refusedHere, reason: "token_endpoint"},
		{sin: provider.DiscoveryAway, want: refusedHere, reason: "status 503"},
		{sin: provider.KeysHuge, want: refusedHere, reason: "too large"},
		{sin: provider.KeysRedirect, want: refusedHere, reason: "status 302"},
		{sin: provider.KeysGarbage, want: refusedHere, reason: "JWK"},
		{sin: provider.KeysTooMany, want: refusedHere, reason: "100 keys"},
		{sin: provider.KeysPrivate, want: refusedHere, reason: "no key"},
		{sin: provider.KeysForOthers, want: refusedHere, reason: "no key"},
		{sin: provider.ResponseIssOther, want: refusedHere, reason: "another issuer"},
		{sin: provider.ResponseIssMissing, want: refusedHere, reason: "no issuer"},
		{sin: provider.ResponseDenied, want: oidc.ErrRefused, reason: "access_denied"},
		{sin: provider.ResponseTemporarily, want: oidc.ErrAgain, reason: "temporarily"},
		{sin: provider.ResponseServerError, want: refusedHere, reason: "server_error"},
		{sin: provider.TokenGarbage, want: refusedHere, reason: "JSON"},
		{sin: provider.TokenHTML, want: refusedHere, reason: "JSON"},
		{sin: provider.TokenForm, want: refusedHere, reason: "JSON"},
		{sin: provider.TokenError500, want: refusedHere, reason: "status 500"},
		{sin: provider.TokenError200, want: refusedHere, reason: "bad_verification_code"},
		{sin: provider.TokenErrorText, want: refusedHere, reason: "invalid_grant"},
		{sin: provider.TokenRedirect, want: refusedHere, reason: "status 307"},
		{sin: provider.TokenHuge, want: refusedHere, reason: "too large"},
		{sin: provider.TokenTypeOther, want: refusedHere, reason: "token_type"},
		{sin: provider.TokenBoundUnasked, want: refusedHere, reason: "token_type"},
		{sin: provider.TokenMissing, want: refusedHere, reason: "access token"},
		{sin: provider.TokenUnsendable, want: refusedHere, reason: "not fit"},
		{sin: provider.TokenNoExpiry, want: accepted},
		{sin: provider.TokenTextExpiry, want: accepted},
		{sin: provider.TokenInCapitals, want: accepted},
		{sin: provider.TokenAbsurdExpiry, want: accepted},
	} {
		name := string(row.sin)
		if row.config != nil || row.ask != nil {
			name += "/asked-otherwise"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, func(c *configs.Provider, _ *provider.Options) {
				if row.config != nil {
					row.config(c)
				}
			})
			r.idp.Commit(row.sin)
			got, err := r.signIn(row.ask, nil)
			if !isOutcome(err, row.want) {
				t.Fatalf("%v, want %v", err, row.want)
			}
			if err == nil {
				if got.Subject != "p-1" {
					t.Error(got.Subject)
				}
				return
			}
			if got != nil || !strings.Contains(err.Error(), row.reason) {
				t.Errorf("%q does not say %q", err, row.reason)
			}
			if n := len(r.requests("/token")); n > 1 {
				t.Errorf("the code was sent %d times", n)
			}
			mustBeClean(t, err.Error())
		})
	}
}

func userinfo(c *configs.Provider) { c.Userinfo = true }

func isOutcome(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// mustBeClean: an error's text goes into a log line, and holds no secret.
func mustBeClean(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) || len(text) > 700 {
		t.Errorf("not fit for a log: %q", text)
	}
	if strings.Contains(text, "MARKED") || strings.Contains(text, "eyJhbGci") {
		t.Errorf("holds a secret: %q", text)
	}
}

// TestRefused: tokens that came with a person who is then refused are revoked.
func TestTokensOfARefusedPersonAreRevoked(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, _ *provider.Options) {
		c.Admit = []configs.AdmitRule{{At: "/hd", Is: mapping.Match{Values: []any{"other.example"}}}}
	})
	if _, err := r.signIn(nil, nil); !errors.Is(err, oidc.ErrNotAdmitted) {
		t.Fatal(err)
	}
	calls := r.requests("/revoke")
	if len(calls) != 1 || calls[0].form.Get("token_type_hint") != credential.RefreshToken {
		t.Errorf("%v", calls)
	}
}

// TestExpiries: an end that cannot be believed is no end; the session's bounds hold.
func TestExpiries(t *testing.T) {
	r := newRig(t, nil)
	for sin, want := range map[provider.Sin]time.Duration{provider.TokenNoExpiry: 0, provider.TokenTextExpiry: 5 * time.Minute, provider.TokenAbsurdExpiry: 0} {
		r.idp.Commit(sin)
		got := r.mustSignIn(nil, nil).Credential.Expires
		if want == 0 && !got.IsZero() || want != 0 && got.Sub(r.clock.Now()) != want {
			t.Errorf("%s: %v", sin, got)
		}
	}
}

// TestUserinfoIsMerged: it adds to the person and replaces neither sub nor iss.
func TestUserinfoIsMerged(t *testing.T) {
	r := newRig(t, func(c *configs.Provider, o *provider.Options) {
		c.Userinfo = true
		o.People[0].Claims["iss"] = "https://evil.example"
		o.People[0].Claims["nickname"] = "a"
	})
	r.idp.Commit(provider.InvalidIss)
	if _, err := r.signIn(nil, nil); err == nil {
		t.Error("another issuer was accepted")
	}
}

// TestAdmit: equality only, of a value or of one item of a list.
func TestAdmit(t *testing.T) {
	rule := func(at string, values ...any) []configs.AdmitRule {
		return []configs.AdmitRule{{At: at, Is: mapping.Match{Values: values}}}
	}
	for _, row := range []struct {
		lines []configs.AdmitRule
		want  error
	}{
		{nil, nil},
		{rule("/hd", "example.com"), nil},
		{rule("/hd", "other.example", "example.com"), nil},
		{rule("/hd", "*.com"), oidc.ErrNotAdmitted},
		{rule("/hd", "EXAMPLE.COM"), oidc.ErrNotAdmitted},
		{rule("/email_verified", true), nil},
		{rule("/email_verified", "true"), oidc.ErrNotAdmitted},
		{rule("/groups", "staff"), nil},
		{rule("/groups/1", "ops"), nil},
		{rule("/groups/01", "ops"), oidc.ErrNotAdmitted},
		{rule("/groups/2", nil), oidc.ErrNotAdmitted},
		{rule("/nobody", nil), oidc.ErrNotAdmitted},
		{rule("/hd/deeper", "example.com"), oidc.ErrNotAdmitted},
		{rule("/tenant", int64(9007199254740993)), nil},
		{rule("/tenant", int64(9007199254740992)), oidc.ErrNotAdmitted}, // one floating-point number with it
		{rule("/tenant", "9007199254740993"), oidc.ErrNotAdmitted},
		{slices.Concat(rule("/hd", "example.com"), rule("/groups", "admins")), oidc.ErrNotAdmitted},
		{slices.Concat(rule("/hd", "example.com"), rule("/sub", "p-1")), nil},
	} {
		r := newRig(t, func(c *configs.Provider, _ *provider.Options) { c.Admit = row.lines })
		if _, err := r.signIn(nil, nil); !isOutcome(err, row.want) {
			t.Errorf("%v: %v", row.lines, err)
		}
	}
}
