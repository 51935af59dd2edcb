package server

import (
	"runtime/debug"

	"coatcheck/bff/session"

	"github.com/valyala/fasthttp"
)

// A fault of the program, a panic, costs the call that met it and nobody else: that
// call gets one error, its connection ends, and one line names the place. The web
// server recovers nothing, so each goroutine of ours that serves a call does.

// contain is deferred at the top of a goroutine.
func (s *Server) contain(requestID string) {
	if recover() != nil {
		s.fault(requestID)
	}
}

// fault logs the panic that is just being recovered.
func (s *Server) fault(requestID string) { s.logFault(requestID, debug.Stack()) }

// logFault says where a fault is, and nothing of what it says: that may be a secret.
func (s *Server) logFault(requestID string, stack []byte) {
	defer func() { _ = recover() }() // the log itself may be what is at fault
	s.log.Error("panic", "request_id", requestID, "stack", string(stack))
}

// watch calls ended when the session of x ends. It is called from the goroutines of
// the manager, which a fault here must not end.
func (s *Server) watch(x *exchange, ended func()) (stop func()) {
	id := string(x.requestID)
	return s.manager.Watch(x.ticket, func(session.Reason) {
		defer s.contain(id)
		ended()
	})
}

// abandon answers 500 where the handling of a call itself had a fault. x, which may be
// nil, is not used again.
func (s *Server) abandon(ctx *fasthttp.RequestCtx, x *exchange) {
	if x != nil {
		x.letGo()
	}
	ctx.Response.Reset() // closes a stream that was to be the answer
	ctx.SetStatusCode(errInternal.Status)
	h := &ctx.Response.Header
	h.DisableNormalizing()
	h.SetContentType("application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Coatcheck-Error", errInternal.Code)
	id := ""
	if x != nil && len(x.requestID) > 0 {
		id = string(x.requestID)
		h.Set("X-Request-Id", id)
	}
	ctx.SetConnectionClose()
	ctx.Response.SetBody(errInternal.document(id))
}

// letGo frees what x holds of others, whatever state a fault left it in.
func (x *exchange) letGo() {
	defer func() { _ = recover() }() // the fault itself was logged
	defer func() {
		untie, leave := x.untie, x.leave
		x.untie, x.leave = nil, nil
		if leave != nil {
			leave()
		}
		if untie != nil {
			untie()
		}
	}()
	x.request.Conn().Idle()
	_ = x.answer.Close()
}
