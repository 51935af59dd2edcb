package session_test

import (
	"context"
	"testing"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/bff/session/ticket"
)

// A call as the hot path makes it: cookie to ticket to session.
func benchmarkFind(b *testing.B, m *session.Manager) {
	started, _ := start(b, m, ann("shop"))
	cookie := []byte(started.Reveal())
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t, ok := ticket.Borrow(cookie)
			if !ok {
				b.Error("ticket refused")
				return
			}
			if _, err := m.Find(context.Background(), "shop", t); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkFindNear(b *testing.B) { benchmarkFind(b, benchPlace(b).manager(within(5*time.Second))) }

func BenchmarkFindMemory(b *testing.B) { benchmarkFind(b, benchPlace(b).manager()) }

func BenchmarkFindRedis(b *testing.B) {
	benchmarkFind(b, redisPlace(b, startServer(b)).manager())
}

// benchPlace is a store in memory under the real clock.
func benchPlace(b *testing.B) *place {
	one := openStore(b, "memory://", nil)
	return &place{&storetest.Place{Open: func() store.Store { return one }}, b}
}

func BenchmarkStartRedis(b *testing.B) {
	m := redisPlace(b, startServer(b)).manager()
	b.ReportAllocs()
	for b.Loop() {
		start(b, m, ann("shop"))
	}
}

func BenchmarkTouchRedis(b *testing.B) {
	m := redisPlace(b, startServer(b)).manager()
	ticket, _ := start(b, m, ann("shop"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Extend(context.Background(), "shop", ticket); err != nil {
			b.Fatal(err)
		}
	}
}
