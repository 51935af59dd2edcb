package command

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/account"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/pages"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
)

// explainer writes down what each check says.
type explainer struct {
	table   *routing.Table
	proxy   *proxy.Proxy
	config  *configs.Config
	auth    *auth.Auth
	body    []byte
	url     string // of the request; empty where it has a Host of its own
	call    call.Call
	problem *problem.Problem
	lines   []string
}

func (e *explainer) explanation() *Explanation {
	return &Explanation{Lines: e.lines, Decision: e.call.Decision, Problem: e.problem}
}

func (e *explainer) say(step, format string, args ...any) {
	e.lines = append(e.lines, wrapped(fmt.Sprintf("%-9s %s", step, fmt.Sprintf(format, args...)))...)
}

// refuse is the answer of Coatcheck's own.
func (e *explainer) refuse(p *problem.Problem) {
	e.problem = p
	e.say("answer", "%d %s: %s", p.Status, p.Code, p.Detail)
}

// gate explains a request that the raw gate answers.
func (e *explainer) gate(r gateRefusal) {
	e.say("gate", "refuses the request: %s", r.error)
	if status, code, ok := gate.Answer(r.error); ok {
		e.say("answer", "%d %s; the connection is closed", status, code)
	} else {
		e.say("answer", "none: the connection is closed")
	}
	if errors.Is(r.error, http1.ErrTooLarge) {
		e.say("advice", "limits.header bounds a request's head. Large cookies of other programs on this host are the usual cause. A browser that opens a page gets one that says so.")
	}
}

// explain tells the decision stage by stage, as far as it went.
func (e *explainer) explain() {
	c, d := &e.call, &e.call.Decision
	e.say("client", "%s (trusted proxy: %v)", c.Request.Client, c.Request.Trusted)
	if d.Stage > routing.AtPath {
		e.say("path", "%s", d.Target.Path)
	}
	if d.Stage >= routing.AtHost && d.Host == nil {
		e.say("host", "%s is not a host of any frontend", c.Request.Host)
	}
	if d.Stage >= routing.AtFrontend && d.Host != nil {
		e.frontend()
	}
	if d.Stage >= routing.AtGuard {
		e.guard()
	}
	if d.Stage >= routing.AtRoute {
		e.route()
	}
	if d.Problem != nil {
		e.refuse(d.Problem)
		e.advise(d.Problem)
		return
	}
	e.answer()
}

func (e *explainer) frontend() {
	f := e.call.Frontend()
	if f == nil {
		e.say("frontend", "not determined: %s", e.candidates())
		return
	}
	if f.Config.IsDoor() {
		e.say("frontend", "%s (host %s, without pages)", f.Name, e.call.Request.Host)
		return
	}
	e.say("frontend", "%s (host %s, cookie %s)", f.Name, e.call.Request.Host, f.Config.Cookie.Name)
	if r := &e.call.Request; r.Origins == 1 {
		if pattern := f.PatternOf(r.Origin, r.Host); pattern != "" {
			e.say("", "%s is one of %s", r.Origin, pattern)
		}
	}
	if origin := e.strangeOrigin(f); origin != "" {
		e.say("note", "%s is not an origin of %s: %s. Host counts without its port, so the request is answered all the same if it comes here; a page at that address would send its own Origin and be refused.",
			origin, f.Name, strings.Join(f.Config.Origins, ", "))
	}
}

// strangeOrigin is the scheme, host and port of the URL, if the frontend's pages and calls
// share a host and no page is there; else "".
func (e *explainer) strangeOrigin(f *routing.Frontend) string {
	u, err := url.Parse(e.url)
	if err != nil || u.Host == "" || f.Config.Host != "" || len(f.Config.Origins) == 0 {
		return ""
	}
	origin := u.Scheme + "://" + strings.ToLower(u.Host)
	origin = strings.TrimSuffix(origin, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	if f.ListsOrigin([]byte(origin), e.call.Request.Host) {
		return ""
	}
	return origin
}

// candidates names the frontends that may be meant at a host.
func (e *explainer) candidates() string {
	var names []string
	for _, f := range e.call.Decision.Host.Frontends {
		names = append(names, f.Name)
	}
	list := strings.Join(names, ", ")
	if e.call.Decision.Problem == problem.OriginNotAllowed {
		return "the Origin matches none of: " + list
	}
	return "the request does not say which of: " + list
}

func (e *explainer) guard() {
	switch d := &e.call.Decision; {
	case !d.Guarded && d.Endpoint != nil:
		e.say("guard", "skipped: the provider itself calls, and its token is signed")
	case !d.Guarded && (d.Route == nil || d.Route.Programs != nil):
		e.say("guard", "skipped: no browser attaches a proof to this call by itself")
	case !d.Guarded:
		e.say("guard", "skipped: the route says guard: false")
	case d.Stage == routing.AtGuard:
		e.say("guard", "refuses the request")
	default:
		e.say("guard", "passes")
	}
}

func (e *explainer) route() {
	switch d := &e.call.Decision; {
	case d.Endpoint != nil:
		e.say("endpoint", "%s", d.Endpoint.Path)
	case d.Route == nil:
		e.say("route", "no route takes this path")
	case d.Route.DevServer():
		e.say("route", "none; the development server %s answers", d.Route.Origin)
	default:
		e.say("route", "%s to upstream %s", d.Route.Prefix, d.Route.Upstream)
		if d.Problem == problem.NotFound {
			e.say("route", "closed: the path belongs to the sign-in or is private, and no route reaches it")
		}
	}
}

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
	p := account.CheckBody(e.call.Request.Head)
	if p == nil {
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

// wrapped breaks a line of the trail between its words, below where its text began.
func wrapped(line string) []string {
	const width, margin = 92, 10
	var lines []string
	for len(line) > width {
		i := strings.LastIndexByte(line[:width], ' ')
		if i <= margin {
			break
		}
		lines = append(lines, line[:i])
		line = strings.Repeat(" ", margin) + line[i+1:]
	}
	return append(lines, line)
}
