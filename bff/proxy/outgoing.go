package proxy

import (
	"bytes"
	"io"
	"sync"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/gate"
	"coatcheck/bff/headers"
	"coatcheck/bff/http1"
	"coatcheck/bff/routing"
	"coatcheck/bff/trace"
	"coatcheck/upstream/mapping"
)

// maxRepeatable is the largest request body that is held in memory, so that a call
// can be repeated with a new token.
const maxRepeatable = 64 << 10

// Outgoing is what goes along with a call. Its zero value is nothing.
type Outgoing struct {
	// Credential is what carries the person; nil: nobody.
	Credential *credential.Credential
	// Proof goes along with a token that is bound to a key, which does not go without.
	Proof string
	// Affinity are cookies that the API's load balancer wants back, "a=b; c=d".
	Affinity []byte
	// Span is the question's part of a trace; nil: it is not traced.
	Span *trace.Span
}

// AppendHead assembles the head of the call that goes to the API, line by line: what
// the browser sent and no rule holds back, then ours. Framing is the forwarder's.
func (p *Proxy) AppendHead(b []byte, c *call.Call, o Outgoing) []byte {
	t := p.targets[c.Route().Index]
	send := t.up.Send()
	var who mapping.Caller
	if t.up.SendsCaller() {
		who = c.Caller()
	}
	b = appendRequestLine(b, c, send, o, who)
	b = p.appendPassed(b, c, o)
	if c.Decision.Handshake {
		b = appendProtocols(b, c.Request.Head, send, o.Credential, who)
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	}
	if t.reads {
		b = appendReadable(b, c.Request.Head)
	}
	b = t.up.AppendSend(b, o.Credential, who)
	if o.Proof != "" {
		b = appendProven(b, o.Credential, o.Proof)
	}
	b = appendCookies(b, send, o, who)
	b = appendXForwarded(b, c)
	if t.forwarded {
		b = appendForwarded(b, c)
	}
	return appendTrace(b, o.Span)
}

// appendRequestLine appends the first line, and the Host that the API knows itself by.
func appendRequestLine(b []byte, c *call.Call, send *mapping.Send, o Outgoing, who mapping.Caller) []byte {
	r := c.Route()
	b = append(append(b, c.Request.Head.Method...), ' ')
	b = append(append(b, r.Base...), c.Decision.Forwarded...)
	b = send.AppendQuery(b, c.Decision.Target.Query, o.Credential, who)
	b = append(append(b, " HTTP/1.1\r\nHost: "...), r.Host...)
	return append(b, '\r', '\n')
}

// appendPassed appends what the browser sent, but for what a rule holds back, what is of
// the connection alone, and what Coatcheck says itself.
func (p *Proxy) appendPassed(b []byte, c *call.Call, o Outgoing) []byte {
	r, h := c.Route(), c.Request.Head
	t := p.targets[r.Index]
	_, options := h.Get("connection")
	for i := range h.Fields {
		f := &h.Fields[i]
		verdict := t.request.Judge(f.Name)
		switch {
		case verdict != headers.Passes:
			p.dropped(r, verdict)
		case options > 0 && h.ConnectionNames(f.Name):
		case t.replaces(f.Name, c.Decision.Handshake, &o):
		default:
			b = appendField(b, f.Name, f.Value)
		}
	}
	return b
}

// replaces reports whether Coatcheck says on this call itself what a field of the browser's
// would.
func (t *target) replaces(name []byte, handshake bool, o *Outgoing) bool {
	switch {
	case o.Span != nil && isTraceContext(name),
		o.Proof != "" && http1.EqualFold(name, "dpop"),
		t.reads && http1.EqualFold(name, "accept-encoding"),
		handshake && t.composes(name):
		return true
	}
	return false
}

// dropped counts a header that an application may miss: nothing but its name speaks
// against it.
func (p *Proxy) dropped(r *routing.Route, verdict headers.Verdict) {
	switch verdict {
	case headers.OddName:
		p.events.Metrics.Dropped(r.Upstream, "odd_name")
	case headers.OfCaller:
		p.events.Metrics.Dropped(r.Upstream, "of_caller")
	}
}

// HeldBack says of a header that a browser sent why it does not go to the API of a route;
// "" where it goes, or is meant for Coatcheck and the connection alone.
func (p *Proxy) HeldBack(r *routing.Route, name []byte) string {
	switch p.targets[r.Index].request.Judge(name) {
	case headers.OddName:
		if why := headers.Unpassable(string(name)); why != "" {
			return "could be read as another: " + why
		}
		return "not letters, digits and single hyphens; pass_headers of the route lets it through"
	case headers.OfCaller:
		return "servers would believe it of the caller; send can put a value of yours"
	case headers.Listed:
		return headers.Why(string(name))
	}
	return ""
}

// appendCookies makes the Cookie line of the API's own cookies, if there are some.
func appendCookies(b []byte, send *mapping.Send, o Outgoing, who mapping.Caller) []byte {
	start := len(b)
	b = append(b, "Cookie: "...)
	name := len(b)
	if b = send.AppendCookies(b, o.Credential, who, o.Affinity); len(b) == name {
		return b[:start]
	}
	return append(b, '\r', '\n')
}

func appendField(b, name, value []byte) []byte {
	b = append(append(b, name...), ':', ' ')
	return append(append(b, value...), '\r', '\n')
}

// isTraceContext reports whether a browser's header would compete with ours.
func isTraceContext(name []byte) bool {
	return http1.EqualFold(name, "traceparent") || http1.EqualFold(name, "tracestate")
}

// appendTrace appends the question's place in the trace (W3C Trace Context).
func appendTrace(b []byte, span *trace.Span) []byte {
	if span == nil {
		return b
	}
	parent, state := span.Headers()
	if parent != "" {
		b = append(append(append(b, "traceparent: "...), parent...), '\r', '\n')
	}
	if state != "" {
		b = append(append(append(b, "tracestate: "...), state...), '\r', '\n')
	}
	return b
}

// token is the credential that this call may carry; nil: none.
func (x *roundTrip) token() *credential.Credential {
	if x.who.Caller != nil {
		return x.carried
	}
	if !x.call.Route().SendToken {
		return nil
	}
	if x.target.exchanges {
		return x.who.Exchanged // never the token of another API
	}
	return x.who.Credential()
}

// owner is whose connections the call may use, where the upstream keeps people apart:
// the session's, or the program's; all calls without one share an owner.
func (x *roundTrip) owner() string {
	if x.who.Caller != nil {
		return programOwner(x)
	}
	if x.who.Session == nil {
		return ""
	}
	return x.who.Session.ID
}

// prepareBody holds a small body in memory, and lets a larger one stream.
func (x *roundTrip) prepareBody() error {
	c, in := &x.out, x.call.In
	c.Body, c.BodyLength, c.Buffered = nil, 0, nil
	c.NeedsLength = needsLength(x.call.Request.Head.Method)
	if !in.HasBody() {
		return nil
	}
	in.LimitBody(int64(x.call.Route().Config.MaxBody))
	n := in.BodyLength()
	if n < 0 || n > maxRepeatable {
		c.Body, c.BodyLength, c.StopBody = in, n, in.Interrupt
		return nil
	}
	if whole, ok := in.Buffered(); ok {
		c.Buffered = whole
		return nil
	}
	x.small = append(x.small[:0], make([]byte, n)...)
	if _, err := io.ReadFull(in, x.small); err != nil {
		return gate.BodyError(err)
	}
	c.Buffered = x.small
	return nil
}

// needsLength: methods that anticipate a body say so even without one (RFC 9110 §8.6):
// POST, PUT and PATCH, and of the unusual ones PROPFIND and PROPPATCH.
func needsLength(method []byte) bool { return bytes.HasPrefix(method, []byte("P")) }

func isIdempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}

// heads are memory for the heads that go to the API. A call gives its own back once it need
// not be sent again: many calls may wait for answers.
var heads = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

// freeHead is called once the head was sent.
func (x *roundTrip) freeHead() {
	*x.head = x.out.Head
	heads.Put(x.head)
	x.head, x.out.Head = nil, nil
}

// send sends the call once, and reads the head of the answer.
func (x *roundTrip) send() error {
	c, out, route := x.call, &x.out, x.call.Route()
	token := x.token()
	proof, err := x.prove(token)
	if err != nil {
		return err
	}
	x.proven = proof != ""
	x.span = c.Span.Ask("forward", route.Upstream)
	head := heads.Get().(*[]byte)
	out.Head = x.proxy.AppendHead((*head)[:0], c, Outgoing{token, proof, sticking{x}.pairs(), x.span})
	x.head, out.Sent, out.Faulted = head, x.sent, x.faulted
	out.IsHead, out.Idempotent = c.Request.IsHead(), isIdempotent(c.Request.Head.Method)
	out.HeaderTimeout, out.IdleTimeout = route.Config.HeaderTimeout, route.Config.IdleTimeout
	out.Upgrade, out.Owner = c.Decision.Handshake, x.owner()
	c.In.Conn().Working(x.abort)
	out.Now = time.Now()
	if err = x.target.transport.Do(out, &x.answer); err == nil {
		c.Record.Upstream += x.answer.Came.Sub(out.Now)
	} else {
		c.Record.Upstream += time.Since(out.Now)
	}
	if x.span != nil {
		x.span.Answered(x.answer.Status, err)
	}
	return err
}
