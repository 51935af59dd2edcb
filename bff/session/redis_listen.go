package session

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A subscription can look alive and carry nothing (a half-open link). So each
// listener sends itself a message now and then, and resubscribes when it does not
// come back.
const (
	beatEvery  = time.Second
	beatMissed = 3 * time.Second
	beatWord   = "beat "
	relisten   = 200 * time.Millisecond // before trying again
)

// Listen implements [Store].
func (s *redisStore) Listen(ctx context.Context, channel string, l Listener) {
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			s.resubscribed.Add(1)
		}
		s.subscription(ctx, channel, l)
		select {
		case <-ctx.Done():
		case <-time.After(relisten):
		}
	}
}

// subscription hears one subscription until it proves dead.
func (s *redisStore) subscription(ctx context.Context, channel string, l Listener) {
	sub := s.conn().Subscribe(ctx, channel)
	defer sub.Close() //nolint:errcheck // it is given up
	name := rand.Text()
	connections := s.connections.Load()
	beatCtx, stop := context.WithCancel(ctx)
	defer stop()
	go s.beat(beatCtx, channel, beatWord+name) // ends with the subscription
	heard := time.Now()
	for time.Since(heard) < beatMissed {
		message, err := sub.ReceiveTimeout(ctx, beatEvery)
		if ctx.Err() != nil {
			return
		}
		if now := s.connections.Load(); now != connections {
			connections = now
			l.Reconnected()
		}
		switch m := message.(type) {
		case *redis.Subscription:
			heard = time.Now()
			l.Gap()
		case *redis.Message:
			if own, ok := strings.CutPrefix(m.Payload, beatWord); !ok {
				l.Message(m.Payload)
			} else if own == name {
				heard = time.Now()
			}
		}
		if err != nil && !isTimeout(err) {
			return
		}
	}
}

// beat sends the listener its own message, until ctx ends.
func (s *redisStore) beat(ctx context.Context, channel, payload string) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.conn().Publish(ctx, channel, payload).Err() // its absence is what is noticed
		}
	}
}

func isTimeout(err error) bool {
	t, ok := err.(interface{ Timeout() bool })
	return ok && t.Timeout()
}
