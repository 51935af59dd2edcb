// Package explain says what a server of a configuration would do with one request, and why,
// without any network. It runs the code that serves: package gate's reading, the decision of
// package routing, and the head that package proxy writes.
package explain

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

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
