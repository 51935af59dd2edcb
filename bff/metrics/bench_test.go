package metrics

import (
	"testing"
	"time"
)

// BenchmarkCall: what counting costs a call.
func BenchmarkCall(b *testing.B) {
	route, method := New("bench", "").Route("shop", "/api/"), []byte("GET")
	b.ReportAllocs()
	for b.Loop() {
		route.Call(method, 200, 900*time.Microsecond, 800*time.Microsecond)
	}
}
