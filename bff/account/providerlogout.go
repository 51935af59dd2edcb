package account

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
	"coatcheck/upstream/oidc"
)

// continueLife is how long the address of a provider's sign-out can be used.
const continueLife = time.Minute

// storeRetry is when a provider that must try again may.
const storeRetry = 2 * time.Second

// logoutRealm holds addresses of providers' sign-outs; no frontend has this name.
const logoutRealm = "\x00provider logout"

// continueLogout makes an address of ours, good for a minute and one use, behind which
// the provider's sign-out lies. The provider's own address holds the ID token, which no
// script may see. Empty: the provider has no session to end.
func (a atProvider) continueLogout(ctx context.Context, c *call.Call, s *session.Session) string {
	provider := a.providers[s.Provider]
	if provider == nil {
		return ""
	}
	f := c.Frontend()
	back := f.Origins[0] + f.Base + "/"
	address, err := provider.EndSessionURL(ctx, oidc.EndSession{IDToken: s.Credential.Value(oidc.IDToken), LogoutHint: logoutHint(s), RedirectURI: back})
	if errors.Is(err, oidc.ErrUnsupported) {
		return ""
	}
	if err == nil {
		var t session.Ticket
		if t, err = a.steps.Hold(ctx, pending.Step{Frontend: logoutRealm, Kept: map[string]credential.Secret{"address": address}}); err == nil {
			return f.Base + "/bff/logout/" + t.Reveal()
		}
	}
	a.events.Log.WarnContext(ctx, "provider's sign-out not prepared", "frontend", f.Name, "provider", s.Provider, "error", err)
	return ""
}

// logoutHint names the person where the ID token does not go along: as the provider
// itself asks for it (Entra ID's claim login_hint), else by the subject.
func logoutHint(s *session.Session) string {
	var user struct {
		Hint string `json:"login_hint"`
	}
	if json.Unmarshal(s.User, &user) == nil && user.Hint != "" {
		return user.Hint
	}
	return strings.TrimPrefix(s.Subject, session.PersonOf(s.Provider, ""))
}

// providerLogout leads the browser on to the provider's sign-out, once.
func (a atProvider) providerLogout(c *call.Call) error {
	shown, ok := ticket.Parse(c.Decision.Segment)
	if !ok {
		return problem.NotFound
	}
	ctx, cancel := call.Detached()
	defer cancel()
	held, err := a.steps.Find(ctx, logoutRealm, shown)
	var dead session.EndedError
	switch {
	case errors.As(err, &dead):
		return problem.NotFound
	case err != nil:
		return err
	}
	first, err := a.steps.Drop(ctx, shown)
	if err != nil {
		return err
	}
	if !first || a.manager.Now().Sub(held.Began) > continueLife {
		return problem.NotFound
	}
	redirect(c, held.Kept["address"].Reveal())
	return nil
}

// backChannel takes a logout token from a provider (OpenID Connect Back-Channel Logout
// 1.0 §2.5). There is no cookie, and no guard but the token's signature.
func (a atProvider) backChannel(c *call.Call) error {
	provider := a.providers[string(c.Decision.Segment)]
	if provider == nil || provider.Issuer() == "" {
		return problem.NotFound // plain OAuth 2.0 has no logout tokens
	}
	token, err := logoutToken(c)
	if err != nil {
		return a.refuseLogout(c, provider, err)
	}
	ctx, cancel := call.Detached()
	defer cancel()
	if _, err := provider.Metadata(ctx); err != nil {
		return a.logoutLater(provider, err) // whatever is wrong with it, the token is not to blame
	}
	logout, err := provider.LogoutToken(ctx, token)
	if errors.Is(err, oidc.ErrFailed) && !errors.Is(err, oidc.ErrNoKeys) {
		return a.refuseLogout(c, provider, err)
	}
	if err != nil {
		return a.logoutLater(provider, err)
	}
	n, err := a.manager.EndByProvider(ctx, session.ProviderLogout{Provider: provider.Name(), Session: logout.SessionID, Subject: logout.Subject,
		TokenID: logout.ID, Until: logout.Until, IssuedAt: logout.IssuedAt})
	if errors.Is(err, session.ErrReplayed) {
		return a.refuseLogout(c, provider, err)
	}
	if err != nil {
		return a.logoutLater(provider, err)
	}
	a.events.Metrics.BackChannel(provider.Name(), "accepted")
	a.events.Security(c, "revocation", "ended_by_provider", "provider", provider.Name(), "ended", n)
	c.Own()
	c.Reply.Empty(http.StatusOK)
	return nil
}

// logoutToken reads the one parameter of the form.
func logoutToken(c *call.Call) (string, error) {
	kind, n := c.Request.Head.Get("content-type")
	media, _, _ := strings.Cut(string(kind), ";")
	if n != 1 || !strings.EqualFold(strings.TrimSpace(media), "application/x-www-form-urlencoded") {
		return "", errors.New("account: logout token: not a form")
	}
	raw, err := readForm(c)
	if err != nil {
		return "", err
	}
	p, err := readParameters(raw, false, "logout_token")
	if err == nil && p["logout_token"] == "" {
		err = errors.New("account: logout token: the form has none")
	}
	return p["logout_token"], err
}

// logoutLater makes the provider try again: nothing was marked. It is the store that is
// away, or the provider itself.
func (a atProvider) logoutLater(provider *oidc.Provider, why error) error {
	a.events.Metrics.BackChannel(provider.Name(), "unavailable")
	if !errors.Is(why, store.ErrUnavailable) {
		return wrapped{problem.KeysUnavailable, why}
	}
	return wrapped{problem.StoreUnavailable.With(func(p *problem.Problem) { p.RetryAfter = storeRetry }), why}
}

// refuseLogout answers as the specification says (§2.8), and logs why.
func (a atProvider) refuseLogout(c *call.Call, provider *oidc.Provider, why error) error {
	a.events.Metrics.BackChannel(provider.Name(), "refused")
	c.Record.Code, c.Record.Cause = problem.BadRequest.Code, why
	if a.tokenRefused.IsDue(c.Record.Begun, call.EventInterval) { // anybody can post here
		a.events.Security(c, "revocation", "logout_token_refused", "provider", provider.Name(), "error", why.Error())
	} else {
		a.events.Metrics.Event(c.Frontend().Name, "revocation", "logout_token_refused")
	}
	c.Own()
	c.Reply.Header.Set("Coatcheck-Error", problem.BadRequest.Code)
	c.Reply.Bytes(http.StatusBadRequest, "application/json", []byte(`{"error":"invalid_request"}`))
	return nil
}
