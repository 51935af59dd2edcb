package server

import (
	"net/netip"
	"testing"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/routing"
)

// BenchmarkLine: what the log line of a call costs, without writing it.
func BenchmarkLine(b *testing.B) {
	c := &call.Call{In: new(gate.Request), ID: []byte("4bf92f3577b34da6a3ce929d0e0e4736")}
	c.Request.Head = &http1.Head{Method: []byte("GET"), Target: []byte("/api/orders/2011?page=7")}
	c.Request.Client = netip.MustParseAddr("192.0.2.7")
	c.Decision.Frontend, c.Decision.Route = &routing.Frontend{Name: "shop"}, &routing.Route{Prefix: "/api/"}
	c.Record = call.Record{Begun: time.Now(), Upstream: 800 * time.Microsecond, Status: 200, BytesOut: 1024, Session: "3b1f8a0c52d94e67"}
	now := c.Record.Begun.Add(time.Millisecond)
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		line = appendLine(line[:0], c, 0, now)
	}
}
