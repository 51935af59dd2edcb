package server

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/configs"
	"coatcheck/upstream"
)

// Question is a request to be explained.
type Question struct {
	Method, URL string
	Headers     []string // "Name: value"
	Peer        netip.Addr
}

// Explain tells the decision trail of one request, line by line, without any network:
// what the gate, the choice of the frontend, the guard and the routes say, and what
// would go to the API. Its steps are those of [Server.serve], written down a second
// time; a test holds the two against each other. What it does not look at, it says.
func Explain(c *configs.Config, ups *upstream.Set, q Question) (trail []string, err error) {
	s, err := newSnapshot(c, ups, nil, metrics.New("", ""), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	head, err := q.head(c)
	var gated refusedAtGate
	if errors.As(err, &gated) {
		return gated.trail(), nil
	}
	if err != nil {
		return nil, err
	}
	t := &trailer{x: &exchange{}}
	t.x.snapshot, t.x.head = s, head
	t.x.peer = q.Peer
	p := t.walk(q)
	if p != nil {
		t.say("answer", "%d %s: %s", p.Status, p.Code, p.Detail)
		t.advise(p)
	}
	return t.lines, nil
}

// refusedAtGate is a request that never becomes a call: what stands on the wire is
// not well-formed HTTP, or its method is not known.
type refusedAtGate struct{ error }

func (r refusedAtGate) trail() []string {
	t := &trailer{}
	t.say("gate", "refuses it: %s", r.error)
	if status, code, ok := gate.Answer(r.error); ok {
		t.say("answer", "%d %s, and the end of the connection", status, code)
	} else {
		t.say("answer", "none: the connection ends")
	}
	if errors.Is(r.error, http1.ErrTooLarge) {
		t.say("advice", "limits.header bounds a request's head. Large cookies of other programs on this host are the usual cause. A browser that opens a page gets one that says so.")
	}
	return t.lines
}

// head reads the question as the gate would.
func (q Question) head(c *configs.Config) (*http1.Head, error) {
	// Not left to net/url: what it cannot read is worth an explanation, too.
	scheme, rest, ok := strings.Cut(q.URL, "://")
	end := strings.IndexAny(rest+"/", "/?#\\")
	if !ok || end == 0 || scheme != "https" && scheme != "http" {
		return nil, fmt.Errorf("%q is no absolute URL", q.URL)
	}
	host, target := rest[:end], rest[end:]
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
		err = gate.Check(head)
	}
	if err != nil {
		return nil, refusedAtGate{err}
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

// trailer writes down what each step says.
type trailer struct {
	x     *exchange
	lines []string
}

func (t *trailer) say(step, format string, args ...any) {
	t.lines = append(t.lines, wrapped(fmt.Sprintf("%-9s %s", step, fmt.Sprintf(format, args...)))...)
}

// walk is [Server.serve] and [Server.proxy] without their effects, in the same order.
func (t *trailer) walk(q Question) *Problem {
	x, s := t.x, t.x.snapshot
	x.trusted = s.trusts(x.peer)
	x.client = s.clientAddress(x.peer, x.head)
	x.authority = s.calledHost(x.peer, x.head)
	x.host = hostName(nil, x.authority)
	x.origin, x.origins = x.head.Get("origin")
	x.isGet, x.isHead = q.Method == "GET", q.Method == "HEAD"
	t.say("client", "%s (trusted proxy: %v)", x.client, x.trusted)
	if health := s.config.HealthPath; health != "" && string(x.head.Target) == health {
		return t.health()
	}
	var ok bool
	if x.target, ok = parseTarget(x.head.Target); !ok || x.target.encodedSlash && !s.encodedSlash {
		return errBadPath
	}
	t.say("path", "%s", x.target.path)
	h := s.hosts[string(x.host)]
	if h == nil {
		t.say("host", "%s is no frontend's host", x.host)
		return errUnknownHost
	}
	f, p := h.choose(x)
	if p != nil {
		t.say("frontend", "%s", t.candidates(h))
		return p
	}
	x.enter(f)
	t.say("frontend", "%s (host %s, cookie %s)", f.name, x.host, f.config.Cookie.Name)
	if x.target.encodedSlash && (x.route == nil || x.route.config.EncodedSlash != "pass") {
		return errBadPath
	}
	if x.isPreflight() {
		return t.preflight()
	}
	return t.routed()
}

// candidates names the frontends that may be meant at a host.
func (*trailer) candidates(h *host) string {
	var names []string
	for _, f := range h.frontends {
		names = append(names, f.name)
	}
	return strings.Join(names, ", ") + " live at this host: none or several are meant"
}

func (t *trailer) preflight() *Problem {
	x := t.x
	switch {
	case !x.frontend.listsOrigin(x.origin):
		return errOrigin
	case x.endpoint == nil && x.route == nil:
		return errNotFound
	}
	t.say("answer", "204: a preflight of a listed origin")
	return nil
}

func (t *trailer) routed() *Problem {
	x := t.x
	if x.isPage() {
		return t.page()
	}
	if x.route != nil && !x.route.config.Guard && !x.isHandshake() {
		t.say("guard", "not asked: the route says guard: false")
	} else if p := guard(x.ask()); p != nil {
		t.say("guard", "refuses")
		return p
	} else {
		t.say("guard", "passes")
	}
	if x.endpoint != nil {
		return t.local()
	}
	r := x.route
	if r == nil {
		t.say("route", "none takes this path")
		return errNotFound
	}
	t.say("route", "%s to upstream %s", r.prefix, r.config.Upstream)
	x.forwarded = r.appendPath(nil, x.target.path)
	switch {
	case isDoubleSlash(r.base, x.forwarded):
		return errBadPath
	case r.up.Closed(string(x.forwarded)):
		t.say("route", "but the path signs people in, or is private: closed to all routes")
		return errNotFound
	case !allows(r.methods, x.head.Method):
		t.say("method", "the route takes %s", r.allow)
		return errMethod
	case x.isHandshake() && !isSoundHandshake(x.head):
		t.say("handshake", "not one that RFC 6455 §4.2.1 allows")
		return errBadRequest
	}
	t.outgoing()
	if most := int64(r.config.MaxBody); most > 0 && x.head.Length > most {
		t.say("body", "announced with %d bytes, where max_body is %d", x.head.Length, most)
		return errTooLarge
	}
	t.unexplained()
	return nil
}

// health is [Server.health].
func (t *trailer) health() *Problem {
	t.say("health", "health_path, at any host")
	if !t.x.isGet && !t.x.isHead {
		return errMethod
	}
	t.say("answer", "204; 503 while the process is ending")
	return nil
}

// page is [Server.page], but for the files.
func (t *trailer) page() *Problem {
	x := t.x
	if !x.isGet && !x.isHead {
		t.say("files", "are sent to GET and HEAD only")
		return errMethod
	}
	if _, ok := fileName(x.target.path[len(x.frontend.base):]); !ok {
		t.say("files", "none has such a name")
		return errNotFound
	}
	t.say("answer", "a file of the application itself, or its index document: whoever follows a link may see it")
	t.say("note", "Not explained: which file there is.")
	return nil
}

// unexplained says what decides as well, and is not looked at here.
func (t *trailer) unexplained() {
	t.say("note", "Not explained: the body itself, whether a session lives, throttles, limits on connections, and how the API is doing.")
}

func (t *trailer) local() *Problem {
	t.say("endpoint", "%s", t.x.endpoint.path)
	if !allows(t.x.endpoint.methods, t.x.head.Method) {
		return errMethod
	}
	if t.x.endpoint.path == "/bff/login" {
		if t.x.requireJSON() != nil {
			t.say("body", "only application/json in UTF-8, without a Content-Encoding, is taken here")
			return errMediaType
		}
		if t.x.head.Length > maxLogin {
			t.say("body", "announced with %d bytes, where a sign-in has %d at most", t.x.head.Length, maxLogin)
			return errTooLarge
		}
	}
	t.say("answer", "by Coatcheck itself")
	t.unexplained()
	if x := t.x; x.frontend.scheme == "http" && x.endpoint.path == "/bff/login" {
		t.say("note", "Over plain http Safari does not keep the cookie; Chromium and Firefox do on localhost.")
	}
	return nil
}

// ticket says whether the request carries one, by its form: what it opens is in the
// store, which nobody asks here.
func (t *trailer) ticket() string {
	x := t.x
	if x.route.session == sessionNone {
		return ""
	}
	x.readTicket()
	switch {
	case x.hasTicket:
		return "; a ticket came, and the store decides"
	case x.route.session == sessionRequired:
		return "; no ticket came: 401 not_authenticated. With one:"
	}
	return "; no ticket came: nobody is signed in"
}

// outgoing shows what would go to the API. Nobody is signed in here, so that the
// token's header is shown by its name only.
func (t *trailer) outgoing() {
	x, r := t.x, t.x.route
	t.say("session", "%s; send_token: %v%s", r.config.Session, r.sendToken, t.ticket())
	x.requestID = []byte("(made for each call)")
	for i, line := range strings.Split(strings.TrimRight(string(x.appendHead(nil)), "\r\n"), "\r\n") {
		if i == 0 {
			t.say("upstream", "%s", line)
		} else {
			t.say("", "%s", line)
		}
	}
	if r.sendToken && r.session != sessionNone {
		t.say("", "and, for a person who is signed in: %s", strings.Join(r.up.SendNames(), ", "))
	}
}
