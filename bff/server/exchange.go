package server

import (
	"sync"

	"coatcheck/bff/call"

	"github.com/valyala/fasthttp"
)

// exchange is a call in the hands of the web server. It is used again; nothing may
// hold it once it was released.
type exchange struct {
	call     call.Call
	server   *Server
	snapshot *snapshot
	ctx      *fasthttp.RequestCtx
	line     []byte // the log line
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func acquire(s *Server, ctx *fasthttp.RequestCtx) *exchange {
	e := exchanges.Get().(*exchange)
	e.server, e.snapshot, e.ctx = s, s.current.Load(), ctx
	return e
}

func (e *exchange) release() {
	e.call.Reset()
	e.server, e.snapshot, e.ctx = nil, nil, nil
	exchanges.Put(e)
}
