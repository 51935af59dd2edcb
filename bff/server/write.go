package server

import (
	"net"
	"sync/atomic"
	"time"

	"coatcheck/bff/call"

	"github.com/valyala/fasthttp"
)

// write turns the reply into fasthttp's response: what Coatcheck answers itself, and what
// takes the connection over. Answers of an API leave without it ([exchange.send]).
func (e *exchange) write() {
	r, resp := &e.call.Reply, &e.ctx.Response
	if e.leavesConnection() && r.Upgrade == nil {
		e.takeOver()
		return
	}
	resp.SetStatusCode(r.Status)
	writeFields(&resp.Header, r)
	if r.Close {
		resp.SetConnectionClose()
	}
	switch {
	case r.Upgrade != nil:
		e.upgrade()
	case r.Stream != nil: // a file; its length is known
		e.call.Record.BeganAfter = time.Since(e.call.Record.Begun)
		resp.SetBodyStream(&streamed{e}, int(r.Length))
		resp.ImmediateHeaderFlush = true
		return
	case r.Bodiless:
		if r.Length >= 0 {
			resp.Header.SetContentLength(int(r.Length))
		}
		resp.SkipBody = true
	default:
		resp.SetBody(r.Body) // a copy: the reply's body is free from here on
		if !e.call.Request.IsHead() {
			e.call.Record.BytesOut = int64(len(r.Body))
		}
	}
	r.Finish()
	e.finish()
}

func writeFields(h *fasthttp.ResponseHeader, r *call.Reply) {
	fields := r.Header.Fields()
	for i := range fields {
		h.AddBytesKV(fields[i].Name, fields[i].Value)
	}
}

// leavesConnection reports whether the connection is to be taken from the web server, so
// that nothing of that waits with it: a tunnel may last for days, a stream of events for
// hours.
func (e *exchange) leavesConnection() bool {
	r := &e.call.Reply
	return r.Upgrade != nil || r.Events && r.Stream != nil && r.Length < 0 && !r.BodyOpen && len(r.Trailers) == 0 && e.call.Request.Head.Minor == 1
}

// upgrade hands the connection over behind a 101; its goroutine ends with the tunnel,
// and the web server closes the connection behind it.
func (e *exchange) upgrade() {
	tunnel := e.call.Reply.Upgrade
	e.ctx.Hijack(func(c net.Conn) { tunnel(c) })
}

// takeOver takes the connection from the web server for a stream of events; it ends with
// that. So a stream needs less memory: no stack of the web server's.
func (e *exchange) takeOver() {
	s, conn := e.server, e.in.Conn()
	var begun atomic.Bool
	e.call.Reply.Close = true
	s.background.Add(1)
	e.ctx.HijackSetNoResponse(true)
	e.ctx.Hijack(func(net.Conn) { // its goroutine ends with the body, or with a write's deadline
		if begun.Swap(true) {
			return
		}
		defer s.background.Done()
		_ = e.sendStream(conn)
	})
	// The web server does not hand over a connection that it has closed, as it closes those
	// that it takes for idle when it shuts down.
	conn.OnClose(func() {
		if begun.Swap(true) {
			return
		}
		defer s.background.Done()
		_ = (&streamed{e}).Close()
	})
}
