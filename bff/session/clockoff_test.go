package session_test

import (
	"context"
	"testing"
	"time"

	"coatcheck/bff/session"
)

// TestClockTwoHoursOff: time is the store's, so a replica whose own clock is two
// hours off, either way, signs nobody out and keeps nobody longer.
func TestClockTwoHoursOff(t *testing.T) {
	p := redisPlace(t, startServer(t))
	for _, off := range []time.Duration{2 * time.Hour, -2 * time.Hour} {
		right := p.manager()
		wrong := p.manager(func(o *session.Options) { o.Now = func() time.Time { return time.Now().Add(off) } })
		for _, m := range []*session.Manager{right, wrong} {
			ticket, _ := start(t, m, ann("shop"))
			for _, other := range []*session.Manager{right, wrong} {
				s, err := other.Extend(context.Background(), "shop", ticket)
				if err != nil {
					t.Fatalf("off by %s: %v", off, err)
				}
				if idle := other.IdleLeft(s); idle < 29*time.Minute || idle > 30*time.Minute+time.Second {
					t.Errorf("off by %s: idle in %s", off, idle)
				}
				if left := other.Left(s); left < 11*time.Hour+59*time.Minute || left > 12*time.Hour+time.Second {
					t.Errorf("off by %s: ends in %s", off, left)
				}
			}
		}
	}
}
