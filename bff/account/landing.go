package account

import (
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"coatcheck/bff/call"
	"coatcheck/bff/pending"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/upstream"
	"coatcheck/upstream/oidc"
)

// A page of ours runs nothing, and loads nothing; one that people read has its style.
const (
	landingPolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
	pagePolicy    = landingPolicy + "; style-src 'unsafe-inline'"
)

// landing leads on to the page that was wanted. It is a page of ours and not a redirect:
// the browser then goes on from our own site, and brings the Strict cookie along.
var landing = template.Must(template.New("landing").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="0;url={{.}}"><title>One moment</title></head>
<body><p><a href="{{.}}">Continue</a></p></body></html>
`))

// failure says what became of a sign-in.
var failure = template.Must(template.New("failure").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>` + problem.PageStyle + `</head>
<body><main><h1>{{.Title}}</h1><p>{{.Detail}}</p><p>{{if .Again}}<a class="button" href="">Try again</a>{{else}}<a class="button" href="{{.Link}}">Sign in again</a>{{end}}</p>
<p class="small">Request {{.RequestID}}</p></main></body></html>
`))

// land answers with the landing page.
func (a atProvider) land(c *call.Call, returnTo string) {
	var b strings.Builder
	_ = landing.Execute(&b, returnTo) // a builder takes everything
	page(c, 200, landingPolicy, b.String())
}

func page(c *call.Call, status int, policy, html string) {
	c.Own()
	h := &c.Reply.Header
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policy)
	c.Reply.Bytes(status, "text/html; charset=utf-8", []byte(html))
}

// loginProblem is what a person sees of an error on the way to a provider or back. Not
// a word of the provider's is in it.
func loginProblem(err error) *problem.Problem {
	var p *problem.Problem
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, store.ErrUnavailable):
		return problem.StoreUnavailable
	case errors.Is(err, session.ErrLoggedOut):
		return problem.LoginExpired
	case errors.Is(err, oidc.ErrRefused), errors.Is(err, oidc.ErrInteraction):
		return problem.LoginRefused
	case errors.Is(err, oidc.ErrNotAdmitted):
		return problem.NotAdmitted
	case errors.Is(err, upstream.ErrTimeout):
		return problem.ProviderTimeout
	case errors.Is(err, upstream.ErrUnreachable), errors.Is(err, upstream.ErrBusy):
		return problem.ProviderUnreachable
	case errors.Is(err, pending.ErrTooLong):
		return problem.BadRequest
	}
	return problem.LoginFailed
}

// failedPage answers a navigation that failed: with the page of the frontend that is
// configured for it, with one of ours, or, for programs, with a problem document. A
// page that only wanted to know whether somebody is signed in (prompt=none) goes on.
// attempt is nil where it is not known, or not proven to be the frontend's.
func (a atProvider) failedPage(c *call.Call, attempt *pending.Attempt, err error) error {
	p, again := loginProblem(err), isAgain(err)
	if attempt != nil {
		a.events.Metrics.Attempt(attempt.Frontend, attempt.Provider, p.Code)
		if !errors.Is(err, store.ErrUnavailable) {
			a.events.Security(c, "sign_in", p.Code, "provider", attempt.Provider)
		}
	}
	c.Record.Code, c.Record.Cause, c.Record.Explained = p.Code, err, true
	f := c.Frontend()
	switch path := f.Config.Login.ErrorPath; {
	case attempt != nil && attempt.Prompt == "none" && !again:
		a.land(c, attempt.ReturnTo) // nobody is signed in, as the page wanted to know
		return nil
	case !c.Request.Navigates():
		return wrapped{p, err}
	case path != "" && !again:
		redirect(c, errorOrigin(c, attempt)+path+"?error="+p.Code+"&request_id="+string(c.ID))
	default:
		a.ownPage(c, attempt, p, again)
	}
	c.Reply.Header.Set("Coatcheck-Error", p.Code)
	return nil
}

// isAgain reports whether the same address works later: the store is away, and nothing
// was spent.
func isAgain(err error) bool {
	var s spent
	return errors.Is(err, store.ErrUnavailable) && !errors.As(err, &s)
}

// ownPage is a page of ours that says what became of a sign-in.
func (a atProvider) ownPage(c *call.Call, attempt *pending.Attempt, p *problem.Problem, again bool) {
	view := struct {
		Title, Detail, Link, RequestID string
		Again                          bool // by the same address, which the page need not know
	}{"The sign-in did not work", p.Detail, loginLink(c, attempt), string(c.ID), again}
	if again {
		view.Detail = "Nothing was lost. Try again in a moment."
	}
	if p.Status == http.StatusServiceUnavailable {
		c.Reply.Header.Set("Retry-After", "2")
	}
	var b strings.Builder
	_ = failure.Execute(&b, view) // a builder takes everything
	page(c, p.Status, pagePolicy, b.String())
}

// loginLink begins the sign-in anew, for the same page where it is known.
func loginLink(c *call.Call, attempt *pending.Attempt) string {
	q := url.Values{}
	if len(c.Decision.Host.Frontends) > 1 {
		q.Set("frontend", c.Frontend().Name)
	}
	if attempt != nil {
		q.Set("provider", attempt.Provider)
		if len(attempt.ReturnTo) <= pending.MaxReturnTo {
			q.Set("return_to", attempt.ReturnTo)
		}
	}
	link := c.Frontend().Base + "/bff/login"
	if len(q) > 0 {
		link += "?" + q.Encode()
	}
	return link
}

// errorOrigin is where the frontend's own error page is shown: at the origin of the page
// that was wanted.
func errorOrigin(c *call.Call, attempt *pending.Attempt) string {
	if attempt != nil {
		for _, origin := range c.Frontend().Origins {
			if strings.HasPrefix(attempt.ReturnTo, origin+"/") {
				return origin
			}
		}
	}
	return pagesOf(c).Origin
}

// wrapped shows p and logs the cause.
type wrapped struct {
	*problem.Problem
	cause error
}

func (w wrapped) Error() string { return w.cause.Error() }

func (w wrapped) Unwrap() error { return w.Problem }
