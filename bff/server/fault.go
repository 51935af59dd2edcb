package server

import (
	"runtime/debug"

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

// fault logs the panic that is just being recovered.
func (e *exchange) fault() { e.server.events().Fault(string(e.call.ID), debug.Stack()) }

// abandon is deferred: where the handling of a call itself has a fault, the answer is
// 500, and the exchange is not used again.
func (e *exchange) abandon() {
	if recover() == nil {
		return
	}
	e.fault()
	e.letGo()
	ctx, p := e.ctx, problem.Internal
	ctx.Response.Reset()
	ctx.SetStatusCode(p.Status)
	h := &ctx.Response.Header
	h.DisableNormalizing()
	h.SetContentType("application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Coatcheck-Error", p.Code)
	if len(e.call.ID) > 0 {
		h.Set("X-Request-Id", string(e.call.ID))
	}
	ctx.SetConnectionClose()
	ctx.Response.SetBody(p.Document(string(e.call.ID)))
}

// letGo frees what the reply holds of others, whatever state a fault left it in.
func (e *exchange) letGo() {
	defer func() { _ = recover() }() // the fault itself was logged
	e.call.Reply.Drop()
}
