package server

import (
	"encoding/hex"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/session"
	"coatcheck/bff/trace"
	"coatcheck/upstream"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// exchange is one request and its answer, from the gate to the log line. It is
// reused; nothing may hold it, or a part of it, once it was released.
type exchange struct {
	asked
	seen

	// Memory that is kept from one use to the next.
	call          upstream.Call
	abort         func() // ends call; made once
	answer        upstream.Answer
	small         []byte // a request body held for a repetition
	forwarded     []byte // the path that goes to the API, below its base path
	out           []byte // the head that goes to the API
	line          []byte // the log line
	hostRoom      [64]byte
	requestIDRoom [64]byte
}

// asked is what the request asks for, as far as it was found out.
type asked struct {
	server   *Server
	snapshot *snapshot
	ctx      *fasthttp.RequestCtx
	request  *gate.Request
	head     *http1.Head

	target        target
	peer, client  netip.Addr
	trusted       bool   // the peer is a trusted proxy
	authority     []byte // the host called, with its port
	host          []byte // the same as a plain name
	origin        []byte
	origins       int
	isGet, isHead bool
	requestID     []byte
	frontend      *frontend
	endpoint      *endpoint
	route         *route
	session       *session.Session
	ticket        session.Ticket
	hasTicket     bool
	span          *trace.Span // of the call; nil: not traced
	asking        *trace.Span // of the question to the API
}

// seen is what the log line says.
type seen struct {
	begun        time.Time
	upstreamTime time.Duration
	beganAfter   time.Duration // until a streamed answer began; 0: it is not streamed
	status       int
	code         string
	cause        error
	bytesOut     int64
	streaming    bool
	untie        func() // lets go of the session that a stream ends with
	leave        func() // gives the stream's place back; nil: it has none
}

var exchanges = sync.Pool{New: func() any {
	x := new(exchange)
	x.abort = x.call.Abort
	return x
}}

func (s *Server) acquire(c *fiber.Ctx) *exchange {
	ctx := c.Context()
	conn, ok := ctx.Conn().(*gate.Conn)
	if !ok {
		return nil
	}
	x := exchanges.Get().(*exchange)
	x.server, x.snapshot, x.ctx = s, s.current.Load(), ctx
	x.request = conn.Request()
	x.head = x.request.Head()
	x.begun = time.Now()
	x.peer = conn.Peer().Addr()
	x.trusted = len(x.snapshot.trusted) > 0 && x.snapshot.trusts(x.peer)
	x.client = x.snapshot.clientAddress(x.peer, x.head)
	x.authority = x.snapshot.calledHost(x.peer, x.head)
	x.host = hostName(x.hostRoom[:0], x.authority)
	x.origin, x.origins = x.head.Get("origin")
	x.isGet, x.isHead = string(x.head.Method) == "GET", string(x.head.Method) == "HEAD"
	x.requestID = x.chooseRequestID()
	x.beginSpan()
	return x
}

func (x *exchange) release() {
	x.request.Conn().Idle() // from here on nobody aborts the call
	if x.untie != nil {
		x.untie()
	}
	if x.leave != nil {
		x.leave()
	}
	x.asked, x.seen = asked{}, seen{}
	x.call.Reset()
	exchanges.Put(x)
}

// chooseRequestID takes a trusted peer's, or makes one: 128 random bits. It names
// a call in logs and guards nothing, so that a fast generator will do.
func (x *exchange) chooseRequestID() []byte {
	if x.trusted {
		if id, n := x.head.Get("x-request-id"); n == 1 && isRequestID(id) {
			return append(x.requestIDRoom[:0], id...)
		}
	}
	var raw [16]byte
	for i, r := 0, rand.Uint64(); i < 8; i++ {
		raw[i] = byte(r >> (8 * i))
	}
	for i, r := 0, rand.Uint64(); i < 8; i++ {
		raw[8+i] = byte(r >> (8 * i))
	}
	return hex.AppendEncode(x.requestIDRoom[:0], raw[:])
}

func isRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, c := range id {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// enter takes note of the frontend, and of what the path means there.
func (x *exchange) enter(f *frontend) {
	x.frontend = f
	path := x.target.path
	if !under(path, f.base) {
		return
	}
	if local := path[len(f.base):]; under(local, "/bff") {
		x.endpoint = findEndpoint(local)
		return
	}
	x.route = f.route(path)
}

// isBFF reports whether the path belongs to Coatcheck itself.
func (x *exchange) isBFF() bool {
	return x.frontend != nil && under(x.target.path, x.frontend.base) && under(x.target.path[len(x.frontend.base):], "/bff")
}

// isHandshake reports whether this opens a WebSocket on a route that tunnels them.
func (x *exchange) isHandshake() bool {
	if x.route == nil || !x.route.config.WebSocket || !x.isGet {
		return false
	}
	upgrade, n := x.head.Get("upgrade")
	return n == 1 && http1.EqualFold(upgrade, "websocket") && named(x.head, []byte("upgrade"))
}

func (x *exchange) caller() upstream.Caller {
	agent, _ := x.head.Get("user-agent")
	parent, _ := x.span.Headers()
	return upstream.Caller{TraceParent: parent, Address: x.client, UserAgent: string(agent), RequestID: string(x.requestID),
		ForwardedHost: string(x.authority), ForwardedProto: x.frontend.scheme}
}

// set puts a header on the answer; add appends one of the same name.
func (x *exchange) set(name, value string) { x.ctx.Response.Header.Set(name, value) }

// empty makes the answer one without a body.
func (x *exchange) empty(status int) {
	x.ctx.Response.ResetBody()
	x.ctx.SetStatusCode(status)
}

// body makes the answer status with a body that Coatcheck wrote.
func (x *exchange) body(status int, contentType string, b []byte) {
	x.ctx.SetStatusCode(status)
	x.ctx.Response.Header.SetContentType(contentType)
	x.ctx.Response.SetBody(b)
	if !x.isHead {
		x.bytesOut = int64(len(b))
	}
}

// common puts on the answer what every answer carries, and decides whether the
// connection goes on.
func (x *exchange) common() {
	h := &x.ctx.Response.Header
	h.SetBytesV("X-Request-Id", x.requestID)
	if f := x.frontend; f != nil && f.hsts != "" {
		h.Set("Strict-Transport-Security", f.hsts)
	}
	x.cors()
	// A body that is still being sent on belongs to the forwarder.
	sending := x.streaming && x.call.Body != nil
	if sending {
		x.request.Linger()
	}
	if x.server.draining.Load() || sending || !x.request.Finish() {
		x.ctx.SetConnectionClose()
	}
	x.status = x.ctx.Response.StatusCode()
}

// own marks an answer as Coatcheck's own: never kept by a cache, never guessed at.
func (x *exchange) own() {
	x.set("Cache-Control", "no-store")
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
}

// isolateOrigin lets only pages of the frontend's site load the answer.
func (x *exchange) isolateOrigin() {
	policy := "same-origin"
	if x.frontend != nil && x.frontend.shared {
		policy = "same-site"
	}
	x.set("Cross-Origin-Resource-Policy", policy)
}

// fail renders a problem in place of whatever was begun.
func (x *exchange) fail(err error) {
	p := problemOf(err)
	x.ctx.Response.Reset()
	x.ctx.Response.Header.DisableNormalizing()
	x.own()
	x.code, x.cause = p.Code, err
	x.set("Coatcheck-Error", p.Code)
	if p.Allow != "" {
		x.set("Allow", p.Allow)
	}
	if p.RetryAfter > 0 {
		x.set("Retry-After", retryAfter(p.RetryAfter))
	}
	if p.Code == errInternal.Code {
		x.ctx.SetConnectionClose() // nobody knows what state the fault left it in
	}
	x.body(p.Status, "application/problem+json", p.document(string(x.requestID)))
}

// log counts the call, ends its span and writes the one line that it leaves behind.
func (x *exchange) log() {
	level := slog.LevelInfo
	if x.status >= 500 {
		level = slog.LevelError
	}
	x.count()
	x.endSpan()
	x.server.logCall(x, level)
}

// count counts the call: by its route, else by its frontend, and by its code.
func (x *exchange) count() {
	whole := x.beganAfter
	if whole == 0 {
		whole = time.Since(x.begun)
	}
	switch {
	case x.route != nil:
		x.route.counts.Call(x.head.Method, x.status, whole, x.upstreamTime)
	case x.frontend != nil:
		x.frontend.own.Call(x.head.Method, x.status, whole, 0)
	}
	if x.code != "" {
		x.server.metrics.Refused(x.code)
	}
	if x.streaming {
		x.server.metrics.Stream("stream", -1)
	}
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
