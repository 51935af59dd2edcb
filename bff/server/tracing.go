package server

import (
	"coatcheck/bff/http1"
	"coatcheck/bff/trace"
	"coatcheck/upstream"
)

// beginSpan begins the call's span, where anybody wants one. A traceparent counts from
// a trusted peer only.
func (x *exchange) beginSpan() {
	if x.server.tracer == nil {
		return
	}
	parent, state := "", ""
	if x.trusted {
		if v, n := x.head.Get("traceparent"); n == 1 {
			parent = string(v)
		}
		if v, n := x.head.Get("tracestate"); n == 1 && parent != "" {
			state = string(v)
		}
	}
	x.span = x.server.tracer.Begin(parent, state)
}

// endSpan ends it, when the answer is over.
func (x *exchange) endSpan() {
	if x.span == nil {
		return
	}
	c := trace.Call{Method: string(x.head.Method), Code: x.code, Status: x.status}
	if x.frontend != nil {
		c.Frontend = x.frontend.name
	}
	switch {
	case x.route != nil:
		c.Route = x.route.prefix
	case x.endpoint != nil:
		c.Route = x.frontend.base + x.endpoint.path
	}
	x.span.End(c)
}

// asks begins the span of a question to the API that signs people in, and says who
// asks.
func (x *exchange) asks(what string) (*trace.Span, upstream.Caller) {
	caller, span := x.caller(), x.span.Ask(what, x.frontend.signIn.Name())
	if span != nil {
		caller.TraceParent, _ = span.Headers()
	}
	return span, caller
}

// isTraceContext reports whether a browser's header would compete with ours.
func isTraceContext(name []byte) bool {
	return http1.EqualFold(name, "traceparent") || http1.EqualFold(name, "tracestate")
}

// appendTrace appends the question's place in the trace to its head.
func (x *exchange) appendTrace(b []byte) []byte {
	parent, state := x.asking.Headers()
	if parent != "" {
		b = append(append(append(b, "traceparent: "...), parent...), '\r', '\n')
	}
	if state != "" {
		b = append(append(append(b, "tracestate: "...), state...), '\r', '\n')
	}
	return b
}
