// Package explain says what a server of a configuration would do with one request, and why,
// without any network. It runs the code that serves: package gate's reading, the decision of
// package routing, and the head that package proxy writes.
package explain

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/account"
	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// RawRequest is a request to be explained, as a client would write it.
type RawRequest struct {
	// Method and URL of the request; the URL is absolute.
	Method, URL string
	// Headers are lines: "Name: value".
	Headers []string
	// Body of the request, for calls that may be signed; nil: it is not known.
	Body []byte
	// Peer is the address the connection comes from.
	Peer netip.Addr
}

// Explanation is what a server of this configuration would do with a request.
type Explanation struct {
	// Lines are the trail: what each check says, and what would go to the API.
	Lines []string
	// Decision is what [routing.Table.Decide] says, the same that serves; zero where the
	// gate refuses the request.
	Decision routing.Decision
	// Problem is the answer of Coatcheck's own; nil: there is none, or the store or the
	// API would decide.
	Problem *problem.Problem
}

// Explain tells the decision about one request, without any network. It runs the very
// code that serves. An error means that the request cannot be read.
func Explain(c *configs.Config, ups *signin.Set, q RawRequest) (*Explanation, error) {
	table, err := routing.New(c, routing.Options{Closed: ups.Closed})
	if err != nil {
		return nil, err
	}
	events := call.Events{Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("", "")}
	providers := offlineProviders(c)
	who := auth.New(nil, table, ups, providers, events, auth.NewPrograms(apikey.NewTable(nil, 0, apikey.Events{}), nil, nil, ""))
	who.Callers.Programs().Use(c)
	ways, err := proxy.New(proxy.Options{Config: c, Table: table, Upstreams: ups, Events: events})
	if err != nil {
		return nil, err
	}
	defer ways.Close()
	head, err := q.head(c)
	e := &explainer{table: table, proxy: ways, config: c, auth: who, body: q.Body, url: q.URL}
	if hasHost(q.Headers) {
		e.url = "" // the request says itself where it goes
	}
	var refused gateRefusal
	if errors.As(err, &refused) {
		e.gate(refused)
		return e.explanation(), nil
	}
	if err != nil {
		return nil, err
	}
	table.Read(&e.call.Request, head, q.Peer)
	table.Decide(&e.call.Request, &e.call.Decision)
	e.explain()
	return e.explanation(), nil
}

// gateRefusal is a request that never becomes a call: what stands on the wire is not
// well-formed HTTP, or its method is not known.
type gateRefusal struct{ error }

// head reads the request as the gate would.
func (q RawRequest) head(c *configs.Config) (*http1.Head, error) {
	// Not left to net/url: what it cannot read is worth an explanation, too.
	scheme, rest, ok := strings.Cut(q.URL, "://")
	end := strings.IndexAny(rest+"/", "/?#\\")
	if !ok || end == 0 || scheme != "https" && scheme != "http" {
		return nil, fmt.Errorf("%q is not an absolute URL", q.URL)
	}
	host, target := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:] // names and passwords never stand in Host (RFC 9110 §4.2.4)
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	text := q.Method + " " + target + " HTTP/1.1\r\n"
	if !hasHost(q.Headers) {
		text += "Host: " + host + "\r\n"
	}
	for _, line := range q.Headers {
		text += line + "\r\n"
	}
	var in http1.Reader
	in.Reset(bytes.NewReader([]byte(text + "\r\n")))
	head := new(http1.Head)
	err := head.ReadRequest(&in, int(c.Limits.Header))
	if err == nil {
		err = gate.Check(head, c.UnusualMethods())
	}
	if err != nil {
		return nil, gateRefusal{err}
	}
	return head, nil
}

func hasHost(lines []string) bool {
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, ":"); http1.EqualFold([]byte(name), "host") {
			return true
		}
	}
	return false
}

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
	e.lines = append(e.lines, Trail(step, fmt.Sprintf(format, args...))...)
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

// Trail is what a step says: its name, and the text beside it, broken between words below
// where it began. Package command writes other trails with it.
func Trail(step, text string) []string {
	const width, margin = 92, 10
	line := fmt.Sprintf("%-9s %s", step, text)
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
