package server

import (
	"coatcheck/bff/call"
	"coatcheck/bff/trace"
)

// beginSpan begins the call's span, where anybody wants one. A traceparent counts from
// a trusted peer only.
func (s *Server) beginSpan(c *call.Call) {
	if s.tracer == nil {
		return
	}
	parent, state := "", ""
	if h := c.Request.Head; c.Request.Trusted {
		if v, n := h.Get("traceparent"); n == 1 {
			parent = string(v)
		}
		if v, n := h.Get("tracestate"); n == 1 && parent != "" {
			state = string(v)
		}
	}
	c.Span = s.tracer.Begin(parent, state)
}

// endSpan ends it, when the answer is over.
func endSpan(c *call.Call) {
	if c.Span == nil {
		return
	}
	t := trace.Call{Method: string(c.Request.Head.Method), Code: c.Record.Code, Status: c.Record.Status}
	if f := c.Frontend(); f != nil {
		t.Frontend = f.Name
	}
	switch d := &c.Decision; {
	case d.Route != nil:
		t.Route = d.Route.Prefix
	case d.Endpoint != nil:
		t.Route = d.Frontend.Base + d.Endpoint.Path
	}
	c.Span.End(t)
}
