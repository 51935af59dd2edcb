package routing

import (
	"encoding/base64"
	"slices"

	"coatcheck/bff/apikey"
	"coatcheck/bff/problem"
)

// Kind is what a request is for.
type Kind int

// What a request can be for. The zero value is for nothing: it is refused.
const (
	Refused Kind = iota
	Health
	Preflight
	Page
	Own // an endpoint of Coatcheck's own
	Proxy
)

// Stage is the check that decided, or that was made last.
type Stage int

// The stages, in their order, each with what it asks. docs/errors.md says which answer a
// refusal has.
const (
	AtHealth    Stage = iota // does a load balancer ask for this process's health?
	AtPath                   // can the path be read in one way only?
	AtHost                   // does a frontend live at the host that is called?
	AtFrontend               // which one, where several live there?
	AtPreflight              // does a browser ask first, and may pages of this origin call?
	AtPage                   // is it a document of the frontend, or a file of one?
	AtProof                  // on routes with callers: does one program prove who it is, outside of a browser?
	AtGuard                  // did a page of the frontend make the call?
	AtRoute                  // does the path lead anywhere?
	AtMethod                 // by this method?
)

// Decision is what one request is for. [Table.Decide] writes it once; nothing changes
// it afterwards.
type Decision struct {
	// Kind is what the request is for; Stage is the check that decided.
	Kind  Kind
	Stage Stage
	// Problem is why the request is refused; nil: it is not. Why is which of its causes it
	// was, for the log, where there are several; it holds no byte of the request.
	Problem *problem.Problem
	Why     string

	// Target is the request's path and query, taken apart.
	Target Target
	// Host is what the call came to; nil where no frontend lives there.
	Host *Host
	// Frontend is nil where the request was refused before it was known.
	Frontend *Frontend
	// Endpoint or Route is what the path means there; at most one is set.
	Endpoint *Endpoint
	Route    *Route
	// Segment is the last one of the path, where the endpoint takes one.
	Segment []byte
	// IsBFF reports that the path lies under /bff, which is never proxied.
	IsBFF bool
	// Guarded reports that the guard looked at the request.
	Guarded bool
	// Handshake reports that the request opens a WebSocket, on a route that tunnels them.
	Handshake bool
	// BodyTooLarge reports that the request announces more than the route's max_body.
	// It refuses only after the session was checked.
	BodyTooLarge bool
	// Keys are the values that stand where the route reads keys, right or wrong, and
	// Signed reports that a signature's proof stands in the head. ByProgram reports that
	// a program calls, or nobody: the session is not looked at.
	Keys      []apikey.Presented
	Signed    bool
	ByProgram bool
	// Forwarded is the path that goes to the API, below the upstream's base.
	Forwarded []byte
}

// Decide decides what r is for. What is malformed never comes this far (package gate); who
// calls is asked afterwards (package auth).
func (t *Table) Decide(r *Request, d *Decision) {
	*d = Decision{Forwarded: d.Forwarded[:0]}
	d.Problem = t.decide(r, d)
	if d.Problem != nil {
		d.Kind = Refused
	}
}

// decide makes every check of [Stage], one paragraph each. The first that refuses, or that
// finds out what r is for, answers; none hides elsewhere.
func (t *Table) decide(r *Request, d *Decision) *problem.Problem {
	d.Stage = AtHealth // in front of the host, because load balancers know none
	if path := t.config.HealthPath; path != "" && string(r.Head.Target) == path {
		d.Kind = Health
		return onlyReads(r)
	}

	d.Stage = AtPath
	d.Host = t.hostOf(r.Host) // its pages may read the answer, also one that refuses the path
	if !d.readTarget(r, t) {
		return problem.BadPath
	}

	d.Stage = AtHost
	if d.Host == nil {
		return problem.UnknownHost
	}

	d.Stage = AtFrontend
	if t.bringsLogoutToken(r, d) {
		return d.decideRoute(r)
	}
	f, p := d.Host.choose(r, &d.Target)
	if p != nil {
		d.Why = d.Host.whyNot(r, d.Target.Path, p)
		return p
	}
	d.enter(f, r)
	if d.Target.EncodedSlash && (d.Route == nil || !d.Route.passesSlash()) {
		return d.because("%2F or %5C, which only a route with encoded_slash: pass takes", problem.BadPath)
	}

	d.Stage = AtPreflight
	if r.isPreflight() {
		d.Kind = Preflight
		return d.preflight(r)
	}

	d.Stage = AtPage // no guard: whoever follows a link may see documents and their files
	if d.isPage() {
		d.Kind = Page
		return onlyReads(r)
	}

	d.Stage = AtProof
	if p := d.readProofs(r); p != nil {
		return p
	}

	d.Stage = AtGuard
	if p := d.guard(r); p != nil {
		return p
	}
	return d.decideRoute(r)
}

// HSTS is the Strict-Transport-Security of the answer, or empty: the frontend's, or the
// host's where the request was refused before its frontend was known.
func (d *Decision) HSTS() string {
	switch {
	case d.Frontend != nil:
		return d.Frontend.HSTS
	case d.Host != nil:
		return d.Host.hsts
	}
	return ""
}

// readTarget takes path and query apart; false: they could be read in two ways.
func (d *Decision) readTarget(r *Request, t *Table) (ok bool) {
	d.Target, ok = ParseTarget(r.Head.Target)
	return ok && (t.encodedSlash || !d.Target.EncodedSlash)
}

// isPage reports whether the path is for the frontend's own pages: for no route, and not
// under /bff.
func (d *Decision) isPage() bool {
	return d.Route == nil && !d.IsBFF && d.Frontend.HasPages && under(d.Target.Path, d.Frontend.Base)
}

// readProofs takes note of what proves a program, and takes what of it is secret out of the
// query.
func (d *Decision) readProofs(r *Request) *problem.Problem {
	if d.Route == nil {
		return nil
	}
	d.cutProofs()
	if d.Route.Programs == nil {
		return nil
	}
	return d.readPrograms(r)
}

// guard lets the guard of the request's class look at it.
func (d *Decision) guard(r *Request) *problem.Problem {
	switch {
	case d.Endpoint != nil && d.Endpoint.ID == BackChannel:
		return nil // the provider itself calls; its token is signed
	case d.isNavigation(r):
		d.Guarded = true
		return guardNavigation(r)
	case !d.guards(r):
		return nil
	}
	d.Guarded = true
	in := d.guardInput(r)
	return guard(&in)
}

// enter takes note of the frontend, and of what the path means there.
func (d *Decision) enter(f *Frontend, r *Request) {
	d.Frontend = f
	path := d.Target.Path
	if !under(path, f.Base) {
		return
	}
	if local := path[len(f.Base):]; under(local, "/bff") {
		d.IsBFF = true
		if f.Config.IsDoor() {
			return // nobody signs in at a door without pages
		}
		if d.Endpoint = f.offered(findEndpoint(local)); d.Endpoint != nil && d.Endpoint.takesSegment() {
			d.Segment = local[len(d.Endpoint.Path):]
		}
		return
	}
	if d.Route = f.route(path); d.Route != nil {
		d.Handshake = d.Route.Config.WebSocket && r.wantsWebSocket()
	}
}

// OpensAgain reports whether a navigation that was refused as another site's would pass
// if a page of the host that was called led to the same address.
func (d *Decision) OpensAgain(r *Request) bool {
	return d.Route != nil && r.reads() && r.Origins == 0 && d.Frontend.pagesLiveAt(r.Host)
}

// decideRoute makes the last two checks: does the path lead anywhere, by this method?
func (d *Decision) decideRoute(r *Request) *problem.Problem {
	d.Stage = AtRoute
	if d.Endpoint != nil {
		d.Kind, d.Stage = Own, AtMethod
		return allow(d.Endpoint.Methods, d.Endpoint.Allow, r)
	}
	if d.Route == nil {
		return problem.NotFound
	}
	d.Kind = Proxy
	d.Forwarded = d.Route.appendPath(d.Forwarded, d.Target.Path)
	switch {
	case d.Route.isDoubleSlash(d.Forwarded):
		return d.because("two slashes in front of the path that the API would get", problem.BadPath)
	case d.Route.closed(d.Forwarded): // a page could mint itself a token there
		return d.because("the path is one of private_paths, or of the API's sign-in", problem.NotFound)
	}

	d.Stage = AtMethod
	if p := allow(d.Route.Config.Methods, d.Route.Allow, r); p != nil {
		return p
	}
	if d.Handshake && !isValidHandshake(r) {
		return d.because("not a handshake of a WebSocket of version 13", problem.BadRequest)
	}
	limit := int64(d.Route.Config.MaxBody)
	d.BodyTooLarge = limit > 0 && !r.Head.Chunked && r.Head.Length > limit
	return nil
}

// because is p, and takes note of the cause.
func (d *Decision) because(why string, p *problem.Problem) *problem.Problem {
	d.Why = why
	return p
}

func onlyReads(r *Request) *problem.Problem {
	if r.reads() {
		return nil
	}
	return problem.AllowOnly("GET, HEAD")
}

func allow(methods []string, list string, r *Request) *problem.Problem {
	if slices.Contains(methods, string(r.Head.Method)) {
		return nil
	}
	return problem.AllowOnly(list)
}

// isValidHandshake reports whether the handshake is one that RFC 6455 §4.2.1 allows.
func isValidHandshake(r *Request) bool {
	h := r.Head
	version, versions := h.Get("sec-websocket-version")
	key, keys := h.Get("sec-websocket-key")
	raw, err := base64.StdEncoding.DecodeString(string(key))
	return versions == 1 && string(version) == "13" && keys == 1 && err == nil && len(raw) == 16 &&
		h.Minor == 1 && !h.Close && !h.Chunked && h.Length <= 0
}
