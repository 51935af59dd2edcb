package trace_test

import (
	"testing"

	"coatcheck/bff/trace"
)

// BenchmarkOff is what tracing costs a call where it is off.
func BenchmarkOff(b *testing.B) {
	var off *trace.Tracer
	b.ReportAllocs()
	for b.Loop() {
		span := off.Begin("", "")
		asking := span.Ask("forward", "api")
		_, _ = asking.Headers()
		asking.Answered(200, nil)
		span.End(trace.Call{Method: "GET", Status: 200})
	}
}
