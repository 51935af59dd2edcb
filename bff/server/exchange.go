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
	counted  bool   // so that a fault counts no call twice
	logged   bool   // nor logs it twice
	trailers []byte // of the answer, once its body is over
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func acquire(s *Server, in *gate.Request) *exchange {
	e := exchanges.Get().(*exchange)
	e.server, e.snapshot, e.in = s, s.current.Load(), in
	return e
}

// release ends the walk. What met a fault is never used again.
func (e *exchange) release() {
	if e.call.Faulted {
		return
	}
	e.call.Reset()
	e.server, e.snapshot, e.in = nil, nil, nil
	e.sent, e.counted, e.logged = false, false, false
	e.trailers = e.trailers[:0]
	exchanges.Put(e)
}
