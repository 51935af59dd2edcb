package server

import (
	"runtime/debug"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
)

// contain is deferred: a fault of the program becomes one error.
func (e *exchange) contain(err *error) {
	if recover() == nil {
		return
	}
	e.fault()
	*err = problem.Internal
}

// fault logs the panic that is just being recovered. Whatever the exchange holds may still be
// in use.
func (e *exchange) fault() {
	e.call.Faulted = true
	e.server.events().Fault(string(e.call.ID), debug.Stack())
}

// abandon is deferred: where the handling of a call itself has a fault, the answer is
// 500, the connection ends, and the exchange is not used again. The call is counted and has
// its line all the same, unless that was before the fault.
func (e *exchange) abandon(goesOn *bool) {
	if recover() == nil {
		return
	}
	*goesOn = false
	e.fault()
	e.letGo()
	e.accountFault()
	if e.sent {
		e.in.Conn().Break() // what is out may be half of an answer
		return
	}
	e.in.Linger() // what was not read is no reason for a reset that overtakes the answer
	now := time.Now()
	_ = gate.Send(e.in.Conn(), now, appendAnswer(nil, e.faultAnswer(), now), nil)
}

// faultAnswer is the answer to a call whose handling met a fault: as much as is known of
// whose pages may read it.
func (e *exchange) faultAnswer() (r *call.Reply) {
	r = internalError(string(e.call.ID))
	defer func() { _ = recover() }() // the fault itself was logged
	hsts(&e.call, &r.Header)
	cors(&e.call, &r.Header)
	return r
}

// internalError is the answer to a call that met a fault where nothing is known of it.
func internalError(id string) *call.Reply {
	p, r := problem.Internal, &call.Reply{Close: true}
	h := &r.Header
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Coatcheck-Error", p.Code)
	if id != "" {
		h.Set("X-Request-Id", id)
	}
	r.Bytes(p.Status, "application/problem+json", p.Document(id))
	return r
}

// accountFault accounts for a call that met a fault, as far as that was not done before it.
// What the browser has is 500 where nothing of the answer was out.
func (e *exchange) accountFault() {
	defer func() { _ = recover() }() // the fault itself was logged
	c := &e.call
	if c.In == nil { // not even the facts were taken down
		c.Request.Head, c.Request.Client = e.in.Head(), e.in.Conn().Peer().Addr()
		c.Begin(e.in, time.Now())
	}
	c.Record.Code, c.Record.Cause = problem.Internal.Code, problem.Internal
	if !e.sent {
		c.Record.Status, c.Record.BeganAfter, c.Record.BytesOut = problem.Internal.Status, 0, 0
	}
	e.account(time.Now())
}

// letGo frees what the reply holds of others, whatever state a fault left it in.
func (e *exchange) letGo() {
	defer func() { _ = recover() }() // the fault itself was logged
	e.call.Reply.Drop()
}
