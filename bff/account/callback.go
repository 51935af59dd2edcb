package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/upstream/oidc"
)

// callback takes a person back from a provider. Nothing is redeemed, and nobody's
// attempt is marked as used, before it is proven that the browser is the one in which
// the attempt began (RFC 9700 §4.5, §4.7).
func (a atProvider) callback(c *call.Call) error {
	provider := a.providers[string(c.Decision.Segment)]
	if provider == nil || !slices.Contains(c.Frontend().Config.Login.Provider, provider.Name()) && string(c.Request.Head.Method) != "POST" {
		return problem.NotFound
	}
	if string(c.Request.Head.Method) == "POST" {
		return a.callbackForm(c)
	}
	p, err := readCallback(strings.TrimPrefix(string(c.Decision.Target.Query), "?"))
	if err != nil {
		return a.failedPage(c, nil, err)
	}
	attempt, err := a.sealer.Open(p["state"], provider.Name(), redirectURI(c, provider.Name()))
	if err != nil || attempt.Frontend != c.Frontend().Name {
		return a.failedPage(c, nil, problem.LoginExpired.Because("the state does not open here"))
	}
	browser, known := auth.Browser(c.Request.Head, c.Frontend())
	switch {
	case !known || !attempt.BelongsTo(browser):
		return a.restart(c, attempt, problem.LoginElsewhere.Because("the browser is not the one in which it began"))
	case attempt.IsOver(a.manager.Now(), provider.Attempt()):
		return a.restart(c, attempt, problem.LoginExpired.Because("it began too long ago"))
	}
	return a.finish(c, provider, attempt, browser, p)
}

// restart begins the attempt anew, once; the code that came is never used. A dozen tabs
// may have begun before the first cookie arrived, and a bookmark of the provider's page
// comes back years later.
func (a atProvider) restart(c *call.Call, attempt pending.Attempt, why error) error {
	browser, known := auth.Browser(c.Request.Head, c.Frontend())
	if !known {
		browser = pending.NewBrowser()
	}
	next, ok := attempt.Restart(browser, a.manager.Now())
	if !ok {
		return a.failedPage(c, &attempt, why)
	}
	c.Record.Cause, c.Record.Explained = fmt.Errorf("begun anew: %w", why), true
	return a.sendToProvider(c, browser, next)
}

// finish goes on with an attempt that is proven to be this browser's.
func (a atProvider) finish(c *call.Call, provider *oidc.Provider, attempt pending.Attempt, browser pending.Browser, p parameters) error {
	ctx, cancel := call.Detached()
	defer cancel()
	err := provider.CheckCallback(ctx, oidc.Callback{Issuer: p["iss"], Error: p["error"], Description: p["error_description"]})
	switch {
	case errors.Is(err, oidc.ErrAgain):
		return a.restart(c, attempt, err)
	case err == nil && p["code"] == "":
		err = problem.LoginFailed.Because("neither code nor error came")
	}
	if err != nil {
		return a.failedPage(c, &attempt, err)
	}
	first, err := a.manager.UseAttempt(ctx, attempt.ID.String(), provider.Attempt())
	if err != nil {
		return a.failedPage(c, &attempt, err) // nothing was spent: the same address works later
	}
	if !first {
		a.land(c, attempt.ReturnTo) // the back button, or a second load of the address
		return nil
	}
	return a.redeem(ctx, c, provider, attempt, browser, p["code"])
}

// redeem turns the code into a session. The code is sent exactly once.
func (a atProvider) redeem(ctx context.Context, c *call.Call, provider *oidc.Provider, attempt pending.Attempt, browser pending.Browser, code string) error {
	nonce, verifier, err := attempt.Proofs(browser)
	if err != nil {
		return err
	}
	span := c.Span.Ask("redeem", provider.Name())
	result, err := provider.Redeem(ctx, oidc.Code{Code: credential.NewSecret(code), Verifier: verifier, Nonce: nonce,
		RedirectURI: attempt.RedirectURI, ACR: attempt.ACR, MaxAge: attempt.MaxAge, DPoP: c.Frontend().BindsTokens})
	span.Answered(0, err)
	if err != nil {
		return a.failedPage(c, &attempt, spent{err})
	}
	if err := a.begin(ctx, c, provider, attempt, browser, result); err != nil {
		return a.failedPage(c, &attempt, spent{err})
	}
	a.events.Metrics.Attempt(c.Frontend().Name, provider.Name(), "signed_in")
	a.events.Security(c, "sign_in", "signed_in", "provider", provider.Name())
	a.land(c, attempt.ReturnTo)
	return nil
}

func (a atProvider) sessionAt(c *call.Call, provider *oidc.Provider, r *oidc.Result, began time.Time) session.Start {
	agent, _ := c.Request.Head.Get("user-agent")
	return session.Start{Frontend: c.Frontend().Name, Subject: r.Subject, Provider: provider.Name(), ProviderSession: r.SessionID, ProviderTime: r.IssuedAt, Began: began,
		User: r.UserJSON(), Credential: r.Credential, RefreshAble: provider.Renews(r.Credential) || r.Credential.Expires.IsZero(),
		UserAgent: string(agent), Address: c.Request.Client.String()}
}

// spent is an error behind the attempt's one use: the same address does not work again.
type spent struct{ error }

func (s spent) Unwrap() error { return s.error }
