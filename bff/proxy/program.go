package proxy

import (
	"errors"
	"io"
	"slices"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
	"coatcheck/bff/signature"
)

// signedChunk is how much of a signed body is reserved and read at a time.
const signedChunk = 16 << 10

// signedCall is a round trip of a call that may be signed.
type signedCall struct{ *roundTrip }

// proveSigned reads the body of a call that may be signed and finds out who signed it.
// It reports that the reply is made: a handshake's, or that of an event that came
// before.
func (x signedCall) proveSigned(limit int64) (answered bool, err error) {
	body, err := x.readSigned(limit)
	if err != nil {
		return false, err
	}
	reply, again, err := x.verify(body)
	switch {
	case err != nil:
		return false, err
	case reply != nil:
		x.greet(reply)
		return true, nil
	case again:
		x.call.Own()
		x.call.Reply.Header.Set("Coatcheck-Duplicate", "true")
		x.call.Reply.Empty(200)
		return true, nil
	}
	c := &x.out
	c.Body, c.BodyLength, c.Buffered = nil, 0, body
	c.NeedsLength = needsLength(x.call.Request.Head.Method)
	return false, nil
}

// verify gives back what the body was reserved with, also where it ends in a panic.
func (x signedCall) verify(body []byte) (reply *signature.Reply, again bool, err error) {
	defer x.proxy.budget().Give(int64(len(body)))
	return x.proxy.auth.Callers.Verify(x.call, &x.who, body)
}

// readSigned reads a whole body of at most limit bytes. Memory is reserved as bytes
// come, not as a head announces them, and for as long as limits.body_idle in all: no
// stranger holds it by sending slowly. What was read is reserved when it returns without
// an error, and nothing otherwise.
func (x signedCall) readSigned(limit int64) (body []byte, err error) {
	in, budget := x.call.In, x.proxy.budget()
	if !in.HasBody() {
		return nil, nil
	}
	if most := int64(x.call.Route().Config.MaxBody); most > 0 {
		limit = min(limit, most)
	}
	in.LimitBody(limit)
	held, kept := int64(0), int64(0)
	defer func() { budget.Give(held - kept) }()
	room, take, until := signedChunk, budget.Take, time.Now().Add(x.proxy.bodyIdle)
	if length := in.BodyLength(); length > 0 {
		room = int(min(signedChunk, length))
	}
	for ; ; room, take = signedChunk, budget.TakeMore {
		if !take(signedChunk) {
			return nil, problem.VerifyingTooMuch.Because("too many bodies wait for their signature to be verified")
		}
		held += signedChunk
		had := len(body)
		body = slices.Grow(body, room)[:had+room]
		n, err := x.readChunk(body[had:], until)
		body = body[:had+n]
		switch {
		case errors.Is(err, io.EOF):
			kept = int64(len(body))
			return body, nil
		case err != nil:
			return nil, gate.BodyError(err)
		}
	}
}

// readChunk fills chunk. io.EOF says that the whole body has been read.
func (x signedCall) readChunk(chunk []byte, until time.Time) (n int, err error) {
	for {
		if time.Now().After(until) {
			return n, gate.ErrBodyTimeout
		}
		more, err := x.call.In.Read(chunk[n:]) // also into no room: then it says whether that is all
		if n += more; err != nil || more == 0 && n == len(chunk) {
			return n, err
		}
	}
}

// greet answers a handshake.
func (x signedCall) greet(reply *signature.Reply) {
	c := x.call
	c.Own()
	for name, value := range reply.Headers {
		c.Reply.Header.Set(name, value)
	}
	if reply.Body == nil {
		c.Reply.Empty(200)
		return
	}
	c.Reply.Bytes(200, reply.ContentType, reply.Body)
}

// programOwner is whose connections and streams a program's are.
func programOwner(x *roundTrip) string { return "caller " + x.who.Caller.Name }

func (p *Proxy) budget() *signature.Budget { return p.auth.Callers.Programs().Budget }

// keyed is a stream or a tunnel that began with a key; it ends with the key.
type keyed struct {
	id  string
	end func()
}

// EndKey ends what began with a key that is no more. It does not wait.
func (o *Open) EndKey(id string) {
	for _, k := range o.keyed.all() {
		if k.id == id {
			k.end()
		}
	}
}

// watchProof ties what is about to stay open to what proved the call: a key, or a token
// with its end. Behind it alive must be asked, which looks at the key once more, so that no
// revocation falls between the first look and this.
func (x staying) watchProof(end func()) (stop func(), alive func() bool) {
	p, open := &x.call.Program, x.proxy.open
	switch {
	case x.who.Caller == nil:
	case p.Entry != "":
		k := &keyed{p.Entry, end}
		open.keyed.add(k)
		return func() { open.keyed.remove(k) }, func() bool { return x.proxy.auth.Callers.Programs().Keys.Lives(p.Entry, x.who.Caller.Name) }
	case !p.Until.IsZero():
		return x.endAt(p.Until, end), always
	}
	return func() {}, always
}

func always() bool { return true }

// endAt ends what stays open at a time.
func (x staying) endAt(until time.Time, end func()) (stop func()) {
	events, id := x.proxy.events, string(x.call.ID)
	timer := time.AfterFunc(time.Until(until), func() {
		defer events.Contain(id)
		end()
	})
	return func() { timer.Stop() }
}
