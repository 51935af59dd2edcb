package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"coatcheck/bff/session/store"
)

const (
	beatEvery   = 2 * time.Second
	beatMissing = 3 * beatEvery // no own heartbeat for so long: subscribe anew
	beatWord    = "beat "
	listenPause = 250 * time.Millisecond
)

// Listen implements [store.Events]. A subscription can look alive and carry nothing (a
// half-open connection), so this replica sends itself a heartbeat over another
// connection and subscribes anew when it does not arrive.
func (r *Store) Listen(ctx context.Context, channel string, l store.Listener) {
	beat := beatWord + rand.Text()
	ended := make(chan struct{})
	go func() { // ends with ctx
		defer close(ended)
		r.sendBeats(ctx, channel, beat, l.Reconnected)
	}()
	for first := true; ctx.Err() == nil; first = false {
		if !first {
			r.resubscribed.Add(1)
		}
		r.subscription(ctx, channel, beat, l)
		select {
		case <-ctx.Done():
		case <-time.After(listenPause):
		}
	}
	<-ended
}

// sendBeats also reports new connections: behind one may be another server.
func (r *client) sendBeats(ctx context.Context, channel, beat string, reconnected func()) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		question, cancel := context.WithTimeout(ctx, beatEvery)
		_ = r.fault(r.conn.Publish(question, channel, beat).Err()) // a missing beat is noticed by who listens
		cancel()
		if r.connected.Swap(false) {
			reconnected()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// subscription listens until something is wrong with it.
func (r *client) subscription(ctx context.Context, channel, beat string, l store.Listener) {
	sub := r.conn.Subscribe(ctx, channel)
	defer sub.Close()
	// A read that waits ends only when the connection is closed.
	stop := context.AfterFunc(ctx, func() { _ = sub.Close() })
	defer stop()
	heard := time.Now()
	for time.Since(heard) < beatMissing {
		message, err := sub.ReceiveTimeout(ctx, beatEvery)
		switch message := message.(type) {
		case *redis.Subscription:
			heard = time.Now()
			l.Gap()
		case *redis.Message:
			if message.Payload == beat {
				heard = time.Now()
			} else if !strings.HasPrefix(message.Payload, beatWord) {
				l.Message(message.Payload)
			}
		}
		if err != nil && !timedOut(err) {
			return
		}
	}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}
