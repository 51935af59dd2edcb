package account

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/upstream/oidc"
)

// LoginRequest is what a navigation to GET /bff/login asks for.
type LoginRequest struct {
	// Provider by its name in the configuration, and whether the page named it.
	Provider string
	Named    bool
	// ReturnTo is the whole address of the page that is shown afterwards.
	ReturnTo string
	// Authorize is what the provider is asked for. Its State, Nonce and Verifier are empty:
	// they are made for each attempt.
	Authorize oidc.Request
}

// ReadLogin reads and checks the parameters of GET /bff/login. It looks at nothing but
// the call and the configuration. Errors are of the kind [problem.Problem].
func ReadLogin(c *call.Call) (*LoginRequest, error) {
	w, err := readWish(strings.TrimPrefix(string(c.Decision.Target.Query), "?"))
	if err != nil {
		return nil, err
	}
	offered, named := c.Frontend().Config.Login.Provider, w.provider != ""
	if !named {
		w.provider = offered[0]
	}
	if !slices.Contains(offered, w.provider) {
		return nil, badRequest("the frontend does not list this provider")
	}
	returnTo, err := pagesOf(c).Resolve(w.returnTo)
	if err != nil {
		return nil, problem.BadReturnTo.Because(err.Error())
	}
	return &LoginRequest{Provider: w.provider, Named: named, ReturnTo: returnTo, Authorize: oidc.Request{RedirectURI: redirectURI(c, w.provider),
		Prompt: w.prompt, LoginHint: w.loginHint, UILocales: w.uiLocales, ACR: w.acr, MaxAge: w.maxAge}}, nil
}

// loginAtProvider sends a person to a provider's page. Nothing is stored: the attempt
// travels with the browser, sealed, and is bound to it by a cookie.
func (a atProvider) loginAtProvider(c *call.Call) error {
	r, err := ReadLogin(c)
	if err != nil {
		return a.failedPage(c, nil, err)
	}
	f := c.Frontend()
	browser, known := auth.Browser(c.Request.Head, f)
	if !known {
		browser = pending.NewBrowser()
	}
	a.staysAtProvider(c, r)
	ask := r.Authorize
	attempt := pending.Begin(f.Name, r.Provider, ask.RedirectURI, browser, a.manager.Now())
	attempt.ReturnTo, attempt.Prompt, attempt.ACR, attempt.MaxAge = r.ReturnTo, ask.Prompt, ask.ACR, ask.MaxAge
	attempt.LoginHint, attempt.UILocales = ask.LoginHint, ask.UILocales
	if who := a.auth.Present(c); who.HasTicket {
		attempt.Session = who.Ticket(c).Handle()
	}
	return a.sendToProvider(c, browser, attempt)
}

// staysAtProvider sends somebody who is signed in, and must prove more, to the provider
// of the session where the page names none: another one knows somebody else. Where that
// is not known, or not offered any more, the first one stays chosen.
func (a *Account) staysAtProvider(c *call.Call, r *LoginRequest) {
	offered, ask := c.Frontend().Config.Login.Provider, &r.Authorize
	who := a.auth.Present(c)
	if r.Named || len(offered) < 2 || len(ask.ACR) == 0 && ask.MaxAge == nil || !who.HasTicket {
		return
	}
	s, err := a.manager.Peek(context.Background(), c.Frontend().Name, who.Ticket(c))
	if err != nil || !slices.Contains(offered, s.Provider) {
		return
	}
	r.Provider, ask.RedirectURI = s.Provider, redirectURI(c, s.Provider)
}

// sendToProvider answers with the way to the provider's page.
func (a atProvider) sendToProvider(c *call.Call, browser pending.Browser, attempt pending.Attempt) error {
	provider := a.providers[attempt.Provider]
	state, err := a.sealer.Seal(attempt)
	if err != nil {
		return a.failedPage(c, nil, err)
	}
	nonce, verifier, err := attempt.Proofs(browser)
	if err != nil {
		return err
	}
	ctx, cancel := call.Detached()
	defer cancel()
	span := c.Span.Ask("authorize", attempt.Provider)
	address, err := provider.Authorize(ctx, oidc.Request{RedirectURI: attempt.RedirectURI, State: state, Nonce: nonce, Verifier: verifier,
		Prompt: attempt.Prompt, LoginHint: attempt.LoginHint, UILocales: attempt.UILocales, ACR: attempt.ACR, MaxAge: attempt.MaxAge})
	span.Answered(0, err)
	if err != nil {
		return a.failedPage(c, &attempt, err)
	}
	setBrowserCookie(c, browser, a.browserLife(c))
	a.events.Metrics.Attempt(c.Frontend().Name, attempt.Provider, "sent")
	redirect(c, address)
	return nil
}

// browserLife is how long the browser's cookie lasts: as long as any attempt of the
// frontend may, because one cookie serves them all, at every provider.
func (a atProvider) browserLife(c *call.Call) time.Duration {
	var longest time.Duration
	for _, name := range c.Frontend().Config.Login.Provider {
		if p := a.providers[name]; p != nil {
			longest = max(longest, p.Attempt())
		}
	}
	return longest
}

// redirect answers a navigation with another (RFC 9110 §15.4.4).
func redirect(c *call.Call, address string) {
	c.Own()
	c.Reply.Header.Set("Referrer-Policy", "no-referrer")
	c.Reply.Header.Set("Location", address)
	c.Reply.Empty(http.StatusSeeOther)
}

// pagesOf are those that a sign-in of the call's frontend may return to.
func pagesOf(c *call.Call) pending.Pages {
	f := c.Frontend()
	p := pending.Pages{Origin: f.Origins[0], Origins: f.Origins, BasePath: f.Base}
	for _, other := range c.Decision.Host.Frontends {
		p.Others = append(p.Others, other.Base)
	}
	for _, origin := range f.Origins {
		if routing.OriginHost(origin) == string(c.Request.Host) {
			p.Origin = origin
			break
		}
	}
	return p
}

// redirectURI is where the provider sends the browser back to: made of what is
// configured for the host that is called, and of nothing that a request says.
func redirectURI(c *call.Call, provider string) string {
	return publicURL(c) + "/bff/callback/" + url.PathEscape(provider)
}

// publicURL is the configured address of the frontend at the host that is called.
func publicURL(c *call.Call) string {
	urls := c.Frontend().Config.PublicURLs()
	for _, u := range urls {
		if parsed, err := url.Parse(u); err == nil && strings.EqualFold(parsed.Hostname(), strings.Trim(string(c.Request.Host), "[]")) {
			return u
		}
	}
	return urls[0]
}
