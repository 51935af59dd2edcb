package explain

import (
	"errors"
	"slices"

	"coatcheck/bff/account"
	"coatcheck/bff/auth"
	"coatcheck/bff/pages"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
)

// answer tells what follows a decision that refuses nothing.
func (e *explainer) answer() {
	switch d := &e.call.Decision; d.Kind {
	case routing.Health:
		e.say("answer", "204, or 503 while the process is ending: health_path answers for any host")
	case routing.Preflight:
		e.say("answer", "204: a preflight of a listed origin")
	case routing.Page:
		e.page()
	case routing.Own:
		if (providerExplainer{e}).explained() || d.Endpoint.ID == routing.Exchange && !e.exchange() || d.Endpoint.ID == routing.Login && !e.signInBody() {
			return
		}
		e.say("answer", "by Coatcheck itself")
		if d.Endpoint.ID == routing.Login {
			e.cookie()
		}
		e.unexplained()
		if d.Frontend.Scheme == "http" && d.Endpoint.ID == routing.Login {
			e.say("note", "Over plain http Safari does not keep the cookie; Chromium and Firefox do on localhost.")
		}
	case routing.Proxy:
		e.outgoing()
	}
}

// cookie tells how long the cookie of a sign-in stays in the browser.
func (e *explainer) cookie() {
	switch how := e.call.Frontend().Config.Cookie.Persistent; {
	case how.Always:
		e.say("cookie", "stays for sessions.max_lifetime, also when the browser is closed")
	case how.Field != "":
		e.say("cookie", "stays for sessions.max_lifetime where the body says %q: true, else until the browser is closed", how.Field)
	default:
		e.say("cookie", "stays until the browser is closed")
	}
}

// page tells what a path means among the application's files.
func (e *explainer) page() {
	d := &e.call.Decision
	if !pages.IsFileName(d.Target.Path[len(d.Frontend.Base):]) {
		e.say("files", "no file can have such a name")
		e.refuse(problem.NotFound)
		return
	}
	what := "a file of the application itself, else 404: only a navigation gets its index document"
	if e.call.Request.Navigates() {
		what = "a file of the application itself, or its index document"
	}
	e.say("answer", "%s; no session is needed", what)
	e.say("note", "Not shown: which files exist.")
}

// signInBody checks what a sign-in announces of its body.
func (e *explainer) signInBody() bool {
	var p *problem.Problem
	if !errors.As(account.CheckBody(e.call.Request.Head), &p) {
		return true
	}
	e.say("body", "a sign-in takes application/json in UTF-8, without Content-Encoding, of at most %d bytes", account.MaxBody)
	e.refuse(p)
	return false
}

// exchange tells whether the frontend offers the exchange of the path. The session is
// looked at before the body, and only the store knows whether it lives.
func (e *explainer) exchange() bool {
	name := string(e.call.Decision.Segment)
	if !slices.Contains(e.call.Frontend().Config.Login.Exchanges, name) {
		e.say("exchange", "the frontend offers none of that name")
		e.refuse(problem.NotFound)
		return false
	}
	e.say("exchange", "%s; its request at the API is closed to routes", name)
	return true
}

// unexplained says what decides as well, and is not looked at here.
func (e *explainer) unexplained() {
	e.say("note", "Not shown: the body itself, whether the session is alive, throttles, limits on connections, and how the API is doing.")
}

// ticket says whether the request carries one, by its form: what it opens is in the
// store, which is not read here.
func (e *explainer) ticket() string {
	route := e.call.Route()
	if route.Session == routing.SessionNone {
		return ""
	}
	_, ok := auth.Ticket(e.call.Request.Head, e.call.Frontend())
	switch {
	case ok:
		return "; a ticket is present, and the store decides"
	case route.Session == routing.SessionRequired:
		e.problem = problem.NotAuthenticated
		return "; no ticket is present: 401 not_authenticated. With one:"
	}
	return "; no ticket is present: nobody is signed in"
}
