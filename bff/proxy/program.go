package proxy

import (
	"errors"
	"io"

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
	reply, again, err := x.proxy.auth.Callers.Verify(x.call, &x.who, body)
	x.proxy.budget().Give(int64(len(body)))
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

// readSigned reads a whole body of at most limit bytes. Memory is reserved as bytes
// come, not as a head announces them. What was read is reserved when it returns without
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
	held := int64(0)
	defer func() {
		if err != nil {
			budget.Give(held)
			return
		}
		budget.Give(held - int64(len(body)))
	}()
	for chunk := make([]byte, signedChunk); ; {
		if !budget.Take(signedChunk) {
			return nil, problem.VerifyingTooMuch
		}
		held += signedChunk
		n, err := io.ReadFull(in, chunk)
		body = append(body, chunk[:n]...)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF) && n < len(chunk) && x.bodyEnded():
			return body, nil
		case err != nil:
			return nil, gate.BodyError(err)
		}
	}
}

// bodyEnded reports whether the whole body was read: of a body that broke off, io.ReadFull
// says the same as of one that ends inside a chunk.
func (x signedCall) bodyEnded() bool {
	_, err := x.call.In.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
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

// watchKey ties what is about to stay open to the key of the call. The key is looked at
// once more behind it, so that no revocation falls between the first look and this.
func (x *roundTrip) watchKey(end func()) (stop func(), alive bool) {
	id, open := x.call.Program.Key, x.proxy.open
	if x.who.Caller == nil || id == "" {
		return func() {}, true
	}
	k := &keyed{id, end}
	open.keyed.add(k)
	return func() { open.keyed.remove(k) }, x.proxy.auth.Callers.Programs().Keys.Lives(id)
}
