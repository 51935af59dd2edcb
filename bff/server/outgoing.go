package server

import (
	"bytes"
	"errors"
	"io"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/upstream"
)

// maxRepeatable is the largest request body that is held in memory, so that a call
// can be repeated with a new token.
const maxRepeatable = 64 << 10

// appendPath appends the path below the upstream's base: the route's prefix replaced.
func (r *route) appendPath(b, path []byte) []byte {
	return append(append(b, r.rewrite...), path[len(r.prefix):]...)
}

// appendHead assembles the head of the call, line by line: what the browser sent and
// no rule holds back, then ours. Framing is the forwarder's.
func (x *exchange) appendHead(b []byte) []byte {
	r, h := x.route, x.head
	b = append(append(b, h.Method...), ' ')
	b = append(append(b, r.base...), x.forwarded...)
	b = append(append(b, x.target.query...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, r.host...), '\r', '\n')
	_, options := h.Get("connection")
	for i := range h.Fields {
		f := &h.Fields[i]
		if r.request.holds(f.Name) || options > 0 && named(h, f.Name) || x.asking != nil && isTraceContext(f.Name) {
			continue
		}
		b = appendField(b, f.Name, f.Value)
	}
	if x.isHandshake() {
		b = append(b, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	}
	var who upstream.Caller
	if r.up.SendsCaller() {
		who = x.caller()
	}
	b = r.up.AppendSend(b, x.token(), who)
	b = append(b, "X-Forwarded-For: "...)
	b = x.client.AppendTo(b)
	b = append(append(b, "\r\nX-Forwarded-Host: "...), x.authority...)
	b = append(append(b, "\r\nX-Forwarded-Proto: "...), x.frontend.scheme...)
	b = append(append(b, "\r\nX-Request-Id: "...), x.requestID...)
	b = append(b, '\r', '\n')
	if x.asking != nil {
		b = x.appendTrace(b)
	}
	return b
}

func appendField(b, name, value []byte) []byte {
	b = append(append(b, name...), ':', ' ')
	return append(append(b, value...), '\r', '\n')
}

// joinProtocols makes one line of several Sec-WebSocket-Protocol lines. They are one list
// (RFC 6455 §11.3.4), which the check of the API's choice reads as a whole.
func (x *exchange) joinProtocols() {
	const name = "sec-websocket-protocol"
	if _, n := x.head.Get(name); n < 2 {
		return
	}
	var all []byte
	first, kept := -1, x.head.Fields[:0]
	for _, f := range x.head.Fields {
		if !http1.EqualFold(f.Name, name) {
			kept = append(kept, f)
			continue
		}
		if first < 0 {
			first, all, kept = len(kept), append(all, f.Value...), append(kept, f)
			continue
		}
		all = append(append(all, ", "...), f.Value...)
	}
	kept[first].Value, x.head.Fields = all, kept
}

// token is the credential that this call may carry; nil: none.
func (x *exchange) token() *credential.Credential {
	if x.session == nil || !x.route.sendToken {
		return nil
	}
	return x.session.Credential
}

// owner is whose connections the call may use, where the upstream keeps people apart:
// the session's; all calls without one share an owner.
func (x *exchange) owner() string {
	if x.session == nil {
		return ""
	}
	return x.session.ID
}

// prepareBody holds a small body in memory, and lets a larger one stream.
func (x *exchange) prepareBody() error {
	c := &x.call
	c.Body, c.BodyLength, c.Buffered = nil, 0, nil
	c.NeedsLength = needsLength(x.head.Method)
	if !x.request.HasBody() {
		return nil
	}
	x.request.LimitBody(int64(x.route.config.MaxBody))
	n := x.request.BodyLength()
	if n < 0 || n > maxRepeatable {
		c.Body, c.BodyLength, c.StopBody = x.request, n, x.request.Interrupt
		s, id := x.server, string(x.requestID)
		c.Faulted = func(stack []byte) { s.logFault(id, stack) }
		return nil
	}
	if whole, ok := x.request.Buffered(); ok {
		c.Buffered = whole
		return nil
	}
	x.small = append(x.small[:0], make([]byte, n)...)
	if _, err := io.ReadFull(x.request, x.small); err != nil {
		return bodyError(err)
	}
	c.Buffered = x.small
	return nil
}

// bodyError keeps the gate's own words, which say more than an early end does.
func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return gate.ErrBodyBroken
	}
	return err
}

// needsLength: methods that anticipate a body say so even without one (RFC 9110 §8.6).
func needsLength(method []byte) bool {
	return bytes.HasPrefix(method, []byte("P")) // POST, PUT, PATCH
}

func isIdempotent(method []byte) bool {
	switch string(method) {
	case "GET", "HEAD", "OPTIONS", "PUT", "DELETE":
		return true
	}
	return false
}

// exchangeOnce sends the call once, and reads the head of the answer.
func (s *Server) exchangeOnce(x *exchange) error {
	c := &x.call
	x.asking = x.span.Ask("forward", x.route.config.Upstream)
	x.out = x.appendHead(x.out[:0])
	c.Head = x.out
	c.IsHead, c.Idempotent = x.isHead, isIdempotent(x.head.Method)
	c.HeaderTimeout, c.IdleTimeout = x.route.config.HeaderTimeout, x.route.config.IdleTimeout
	c.Upgrade, c.Owner = x.isHandshake(), x.owner()
	x.request.Conn().Working(x.abort)
	begun := time.Now()
	err := x.route.carrier.Do(c, &x.answer)
	x.upstreamTime += time.Since(begun)
	if x.asking != nil {
		x.asking.Answered(x.answer.Status, err)
	}
	return err
}
