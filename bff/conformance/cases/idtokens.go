package cases

import (
	"net/url"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
	"coatcheck/upstream/demo/provider"
)

// lie is a case in which the provider breaks one rule.
func lie(id string, severity suite.Severity, source, says string, sin provider.Sin) suite.Case {
	return byProvider(id, severity, source, says, "nobody is signed in", func(t *suite.T, b *browser.Browser, p *suite.Provider) {
		back := t.WayBack(b, t.S.Frontend, world.Ada, "")
		if back == "" {
			t.Stuck("the provider did not send the browser back")
		}
		t.W.IdP.Commit(sin)
		t.After(func() { t.W.IdP.Commit() })
		b.Forget(t.W.IdP.URL()) // else a second attempt would go through without a question
		b.Navigate(t.W.IdP.URL(), back)
		t.FailIf(inside(t, b), "she is signed in")
	})
}

// unused is a case about userinfo that must not be used. A sign-in by the ID token alone may go on.
func unused(id string, severity suite.Severity, says string, sin provider.Sin) suite.Case {
	return byProvider(id, severity, "OpenID Connect Core 1.0, 5.3.2", says, "who-am-I knows nobody by it", func(t *suite.T, b *browser.Browser, p *suite.Provider) {
		if !p.Userinfo {
			t.Skip("it does not ask the userinfo endpoint in this configuration")
		}
		back := t.WayBack(b, t.S.Frontend, world.Ada, "")
		t.W.IdP.Commit(sin)
		t.After(func() { t.W.IdP.Commit() })
		b.Forget(t.W.IdP.URL())
		b.Navigate(t.W.IdP.URL(), back)
		t.FailIf(t.Nobody(b, t.S.Frontend).Known(), "it says who she is")
	})
}

func idTokens() []suite.Case {
	const token = "RFC 6749, 5.1 and 5.2"
	return []suite.Case{
		lie("provider-id-issuer", suite.Critical, core, "iss MUST be the provider's.", provider.InvalidIss),
		lie("provider-id-audience", suite.Critical, core, "aud MUST contain the client.", provider.InvalidAud),
		lie("provider-id-no-audience", suite.High, core, "aud MUST contain the client.", provider.MissingAud),
		lie("provider-id-more-audiences", suite.Low, core, "Audiences that the client does not trust MUST lead to a refusal.", provider.ExtraAud),
		lie("provider-id-party", suite.Low, core, "azp SHOULD be the client.", provider.OtherAzp),
		lie("provider-id-no-subject", suite.Medium, "OpenID Connect Core 1.0, 2 ID Token", "sub is required.", provider.MissingSub),
		lie("provider-id-expired", suite.High, core, "The time MUST be before exp.", provider.Expired),
		lie("provider-id-no-expiry", suite.Medium, "OpenID Connect Core 1.0, 2 ID Token", "exp is required.", provider.MissingExp),
		lie("provider-id-no-time", suite.Low, "OpenID Connect Core 1.0, 2 ID Token", "iat is required.", provider.MissingIat),
		lie("provider-id-future", suite.Low, expectation("Core 3.1.3.7 lets clients refuse tokens far from now, and does not oblige them"), "iat may be used to refuse tokens far from now.", provider.FutureIat),
		lie("provider-id-not-yet", suite.Low, "RFC 7519, 4.1.5", "A token MUST NOT be accepted before nbf.", provider.NotYet),
		lie("provider-id-nonce", suite.High, core, "nonce MUST be the one that was sent.", provider.NonceInvalid),
		lie("provider-id-no-nonce", suite.High, core, "Where a nonce was sent, nonce MUST be there.", provider.NonceMissing),
		lie("provider-id-hash", suite.Low, expectation("Core 3.1.3.8 lets clients of the code flow check it, and does not oblige them"), "at_hash, where it is there, belongs to the access token.", provider.InvalidAtHash),
		lie("provider-id-signature", suite.Critical, core, "The signature MUST hold, unless TLS alone is relied on.", provider.InvalidSigRS256),
		lie("provider-id-unsigned", suite.Critical, core, "alg SHOULD be the default or what was agreed; none was not.", provider.SigNone),
		lie("provider-id-hmac", suite.Critical, "RFC 8725, 3.1", "A public key is not taken for an HMAC secret.", provider.HMACWithPublicKey),
		lie("provider-id-key-in-header", suite.Critical, "RFC 8725, 3.10", "Keys in a token's header are not trusted.", provider.KeyInHeader),
		lie("provider-id-algorithm", suite.Low, "RFC 8725, 3.1", "Only algorithms that were agreed are taken.", provider.AlgUnannounced),
		lie("provider-id-unknown-key", suite.High, core, "The key is one of the provider's.", provider.KidUnknown),
		lie("provider-id-missing", suite.Medium, "OpenID Connect Core 1.0, 3.1.3.3", "A token answer has an ID token.", provider.MissingIDToken),
		lie("provider-id-garbage", suite.High, core, "An ID token is a JWT.", provider.GarbageIDToken),
		unused("provider-userinfo-other", suite.High, "Where sub is not the ID token's, the values MUST NOT be used.", provider.UserinfoInvalidSub),
		unused("provider-userinfo-nobody", suite.Medium, "sub MUST be there.", provider.UserinfoMissingSub),
		lie("provider-token-garbage", suite.High, token, "A token answer is JSON.", provider.TokenGarbage),
		lie("provider-token-error", suite.High, token, "An error is not taken for a success.", provider.TokenError500),
		lie("provider-token-missing", suite.Medium, token, "access_token is required.", provider.TokenMissing),
		lie("provider-token-line", suite.Low, expectation("a token that no header carries makes a session in which every call fails"), "A token goes into a header and has no line breaks.", provider.TokenUnsendable),
		lie("provider-token-kind", suite.Low, "RFC 6749, 7.1", "A client MUST NOT use a token whose type it does not know.", provider.TokenTypeOther),
		lie("provider-token-redirect", suite.Medium, asvs("15.3.2"), "Calls to other addresses do not follow redirects.", provider.TokenRedirect),
		lie("provider-token-huge", suite.Low, expectation("an answer of 600 KiB is no token answer; memory is bounded"), "Answers are bounded.", provider.TokenHuge),
	}
}

// logout is a case about a logout token; good: it ends the session.
func logout(id string, severity suite.Severity, source, says, pass string, good bool, make func(t *suite.T) string) suite.Case {
	return byProvider(id, severity, source, says, pass, func(t *suite.T, _ *browser.Browser, p *suite.Provider) {
		if p.BackChannel == "" {
			t.Skip("it has no back-channel logout in this configuration")
		}
		tab := t.SignIn(world.Ada)
		send(t, make(t))
		ended := t.Wait(t.Most(graceOf(good)), func() bool { return !tab.Works() })
		t.FailIf(good && !ended, "her session goes on")
		t.FailIf(!good && ended, "her session ended")
		if good {
			return
		}
		send(t, t.W.IdP.LogoutToken(world.ClientID, world.Ada.Subject, t.W.IdP.Sid(world.Ada), "logout+jwt", nil))
		if !t.Wait(t.Most(graceOf(true)), func() bool { return !tab.Works() }) {
			t.Skip("a valid logout token does not end the session either")
		}
	})
}

func send(t *suite.T, token string) int {
	body := url.Values{"logout_token": {token}}.Encode()
	a := t.Browser().Step("", "POST", t.S.Base+t.S.Provider.BackChannel, body, map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}})
	return a.Status
}

func logoutTokens() []suite.Case {
	forged := func(change func(map[string]any), sins ...provider.Sin) func(t *suite.T) string {
		return func(t *suite.T) string {
			t.W.IdP.Commit(sins...)
			t.After(func() { t.W.IdP.Commit() })
			token := t.W.IdP.LogoutToken(world.ClientID, world.Ada.Subject, t.W.IdP.Sid(world.Ada), "logout+jwt", change)
			t.W.IdP.Commit()
			return token
		}
	}
	set := func(name string, value any) func(map[string]any) { return func(c map[string]any) { c[name] = value } }
	const stays = "the session goes on"
	const rule = "A logout token that does not hold MUST be refused."
	return []suite.Case{
		logout("provider-logout", suite.Medium, backChannel, "A valid logout token ends the sessions of its sub or sid.", "the session ends", true, func(t *suite.T) string {
			return t.W.IdP.LogoutToken(world.ClientID, world.Ada.Subject, "", "logout+jwt", nil)
		}),
		logout("provider-logout-issuer", suite.Medium, backChannel, rule, stays, false, forged(set("iss", "https://evil.example"))),
		logout("provider-logout-audience", suite.Medium, backChannel, rule, stays, false, forged(set("aud", "somebody-else"))),
		logout("provider-logout-event", suite.Medium, backChannel, rule, stays, false, forged(set("events", map[string]any{}))),
		logout("provider-logout-nonce", suite.Low, backChannel, "A nonce MUST NOT be there: an ID token is no logout token.", stays, false, forged(set("nonce", "n"))),
		logout("provider-logout-expired", suite.Low, backChannel, rule, stays, false, forged(func(c map[string]any) { c["exp"], c["iat"] = 1000, 900 })),
		logout("provider-logout-unsigned", suite.High, backChannel, rule, stays, false, forged(nil, provider.SigNone)),
		logout("provider-logout-hmac", suite.High, "RFC 8725, 3.1", "A public key is not taken for an HMAC secret.", stays, false, forged(nil, provider.HMACWithPublicKey)),
		logout("provider-logout-key-in-header", suite.High, "RFC 8725, 3.10", "Keys in a token's header are not trusted.", stays, false, forged(nil, provider.KeyInHeader)),
		logout("provider-logout-signature", suite.High, backChannel, rule, stays, false, forged(nil, provider.InvalidSigRS256)),
		byProvider("provider-logout-again", suite.Low, expectation("Back-Channel Logout 2.6 lets clients refuse a jti that they saw lately, and does not oblige them"), "A logout token counts once.", "a token that comes a second time does not end the next session", func(t *suite.T, _ *browser.Browser, p *suite.Provider) {
			if p.BackChannel == "" {
				t.Skip("it has no back-channel logout in this configuration")
			}
			token := t.W.IdP.LogoutToken(world.ClientID, world.Ada.Subject, "", "logout+jwt", nil)
			send(t, token)
			tab := t.SignIn(world.Ada)
			send(t, token)
			t.FailIf(t.Wait(graceOf(false), func() bool { return !tab.Works() }), "her next session ended")
		}),
	}
}
