package server

import (
	"sync"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
)

// exchange is a call on its walk. It is used again; nothing may
// hold it once it was released.
type exchange struct {
	call     call.Call
	server   *Server
	snapshot *snapshot
	in       *gate.Request
	sent     bool   // some of the answer may be out
	faulted  bool   // it is never used again
	trailers []byte // of the answer, once its body is over
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func acquire(s *Server, in *gate.Request) *exchange {
	e := exchanges.Get().(*exchange)
	e.server, e.snapshot, e.in = s, s.current.Load(), in
	return e
}

// release ends the walk.
func (e *exchange) release() {
	if e.faulted {
		return
	}
	e.call.Reset()
	e.server, e.snapshot, e.in, e.sent = nil, nil, nil, false
	e.trailers = e.trailers[:0]
	exchanges.Put(e)
}
