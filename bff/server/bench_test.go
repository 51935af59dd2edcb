package server

import (
	"net/netip"
	"testing"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/session"
	"coatcheck/upstream"
)

// BenchmarkLine: what the log line of a call costs, without writing it.
func BenchmarkLine(b *testing.B) {
	head := http1.Head{Method: []byte("GET"), Target: []byte("/api/orders/2011?page=7")}
	x := &exchange{asked: asked{
		head: &head, request: new(gate.Request), requestID: []byte("4bf92f3577b34da6a3ce929d0e0e4736"), client: netip.MustParseAddr("192.0.2.7"),
		frontend: &frontend{name: "shop"}, route: &route{prefix: "/api/"}, session: &session.Session{LogID: "3b1f8a0c52d94e67"},
	}, seen: seen{begun: time.Now(), upstreamTime: 800 * time.Microsecond, status: 200, bytesOut: 1024}}
	b.ReportAllocs()
	for b.Loop() {
		x.line = x.appendLine(x.line[:0], 0)
	}
}

// usualNames are what Chromium sends with a call, and what one application adds.
var usualNames = []string{"Host", "Connection", "Content-Length", "Pragma", "Cache-Control", "Sec-CH-UA-Platform", "X-Csrf", "User-Agent", "Accept", "Sec-CH-UA", "Content-Type", "Sec-CH-UA-Mobile",
	"Origin", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Referer", "Accept-Encoding", "Accept-Language", "Cookie", "X-Tenant-Id", "X-Api-Version"}

// BenchmarkNames: what it costs to decide which headers of a call go on.
func BenchmarkNames(b *testing.B) {
	var names [][]byte
	for _, name := range usualNames {
		names = append(names, []byte(name))
	}
	set := requestRules(new(upstream.Upstream))
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			set.holds(name)
		}
	}
}
