package account

import (
	"errors"
	"html/template"
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
<meta http-equiv="refresh" content="0;url={{.}}"><title>Signed in</title></head>
<body><p><a href="{{.}}">Continue</a></p></body></html>
`))

// failure says what became of a sign-in.
var failure = template.Must(template.New("failure").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>` + pageStyle + `</head>
<body><main><h1>{{.Title}}</h1><p>{{.Detail}}</p>{{if .Link}}<p><a class="button" href="{{.Link}}">{{.LinkText}}</a></p>{{end}}
<p class="small">Request {{.RequestID}}</p></main></body></html>
`))

const pageStyle = `<style>:root{color-scheme:light dark;--ink:#1d1b18;--paper:#faf8f4;--accent:#7a2e1f}
@media(prefers-color-scheme:dark){:root{--ink:#efe9df;--paper:#191714;--accent:#e8a48f}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.05rem/1.55 system-ui,sans-serif}
main{max-width:32rem;margin:14vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
a{color:var(--accent)}.button{display:inline-block;padding:.55rem 1.1rem;border:1px solid currentColor;border-radius:.4rem;text-decoration:none}
.small{margin-top:2.5rem;font-size:.8rem;opacity:.75;overflow-wrap:anywhere}</style>`

// land answers with the landing page.
func (a *Account) land(c *call.Call, returnTo string) {
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
	case errors.Is(err, upstream.ErrUnreachable):
		return problem.ProviderUnreachable
	case errors.Is(err, pending.ErrTooLong):
		return problem.BadRequest
	}
	return problem.LoginFailed
}

// failedPage answers a navigation that failed: with the page of the frontend that is
// configured for it, with one of ours, or, for programs, with a problem document.
func (a *Account) failedPage(c *call.Call, attempt *pending.Attempt, err error) error {
	p := loginProblem(err)
	if !c.Request.Navigates() {
		return wrapped{p, err}
	}
	c.Record.Code, c.Record.Cause = p.Code, err
	f := c.Frontend()
	if path := f.Config.Login.ErrorPath; path != "" {
		redirect(c, a.pages(c).Origin+path+"?error="+p.Code+"&request_id="+string(c.ID))
		c.Reply.Header.Set("Coatcheck-Error", p.Code)
		return nil
	}
	view := struct{ Title, Detail, Link, LinkText, RequestID string }{"You are not signed in", p.Detail, f.Base + "/bff/login", "Sign in again", string(c.ID)}
	if p == problem.StoreUnavailable {
		view.Link, view.LinkText = "", "" // the same address works later
		c.Reply.Header.Set("Retry-After", "2")
		view.Detail = "Nothing was lost. Load this page again in a moment."
	}
	if attempt == nil && len(f.Config.Login.Provider) == 0 {
		view.Link = ""
	}
	var b strings.Builder
	_ = failure.Execute(&b, view) // a builder takes everything
	page(c, p.Status, pagePolicy, b.String())
	c.Reply.Header.Set("Coatcheck-Error", p.Code)
	return nil
}

// wrapped shows p and logs the cause.
type wrapped struct {
	*problem.Problem
	cause error
}

func (w wrapped) Error() string { return w.cause.Error() }

func (w wrapped) Unwrap() error { return w.Problem }
