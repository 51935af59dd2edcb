package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
)

func within(near time.Duration) func(*session.Options) {
	return func(o *session.Options) { o.NearCache = near }
}

// gated is a store whose answers to Load can be held up on their way.
type gated struct {
	store.Store
	mu   sync.Mutex
	hold chan struct{} // nil: let through
	held chan struct{}
}

func (g *gated) Load(ctx context.Context, key string) ([]byte, error) {
	value, err := g.Store.Load(ctx, key)
	g.mu.Lock()
	hold := g.hold
	g.mu.Unlock()
	if hold != nil {
		g.held <- struct{}{}
		<-hold
	}
	return value, err
}

func (g *gated) set(hold chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hold = hold
}

// The fear: an answer from before a change arrives after the message of the
// change, and is served from the near cache as if it were new.
func TestFillDoesNotOvertakeTheMessage(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		slow := &gated{Store: p.Open(), held: make(chan struct{})}
		a, b := p.over(slow, within(5*time.Second)), p.manager()
		heard(t, b, a)
		ticket, s := start(t, b, ann("shop"))
		release := make(chan struct{})
		slow.set(release)
		var first sync.WaitGroup
		first.Go(func() { _, _ = a.Find(context.Background(), "shop", ticket) })
		<-slow.held
		slow.set(nil)
		if _, err := b.Refresh(context.Background(), s, ticket, time.Minute, newAPI("refresh-1").refresh); err != nil {
			t.Fatal(err)
		}
		heard(t, b, a) // messages keep their order: a knows of the renewal
		close(release)
		first.Wait()
		if got := find(t, a, ticket); got.Generation != 2 {
			t.Fatalf("generation %d from the near cache", got.Generation)
		}
	})
}

// The promise needs no message: what is older than the limit is asked again.
func TestNearCacheIsNeverOlderThanItsLimit(t *testing.T) {
	p := memoryPlace(t)
	deaf := deafStore{p.Open()}
	a, b := p.over(deaf, within(time.Second)), p.manager()
	ticket, _ := start(t, b, ann("shop"))
	find(t, a, ticket)
	p.Clock.Advance(time.Second)
	if _, err := b.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	find(t, a, ticket) // asked a second ago: just allowed
	p.Clock.Advance(time.Nanosecond)
	dead(t, a, "shop", ticket, session.SignedOut)
}

// deafStore carries no message.
type deafStore struct{ store.Store }

func (d deafStore) Listen(ctx context.Context, _ string, l store.Listener) { <-ctx.Done() }

// Age counts from the moment the store was asked, not from its answer.
func TestAgeCountsFromTheQuestion(t *testing.T) {
	p := memoryPlace(t)
	slow := &gated{Store: deafStore{p.Open()}, held: make(chan struct{})}
	a, b := p.over(slow, within(time.Second)), p.manager()
	ticket, _ := start(t, b, ann("shop"))
	release := make(chan struct{})
	slow.set(release)
	var first sync.WaitGroup
	first.Go(func() { _, _ = a.Find(context.Background(), "shop", ticket) })
	<-slow.held
	slow.set(nil)
	p.Clock.Advance(2 * time.Second) // the answer is long on its way
	if _, err := b.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	close(release)
	first.Wait()
	dead(t, a, "shop", ticket, session.SignedOut)
}

// behindLink is two replicas, of which a reaches Redis over a link that can fail, and has
// knowledge of a session that is used for so long.
func behindLink(t *testing.T, near time.Duration) (a, b *session.Manager, l *link, ticket session.Ticket) {
	t.Helper()
	s := startServer(t)
	p := redisPlace(t, s)
	l = startLink(t, s.Addr())
	a, b = p.over(hangingStore(t, s.URLAt(l.addr())), within(near)), p.manager()
	heard(t, b, a)
	ticket, _ = start(t, b, ann("shop"))
	eventually(t, "it is known here", func() bool { // a busy Redis may be away for this store's short time
		_, err := a.Find(context.Background(), "shop", ticket)
		return err == nil
	})
	return a, b, l, ticket
}

func isOver(m *session.Manager, ticket session.Ticket) bool {
	_, err := m.Find(context.Background(), "shop", ticket)
	return errors.As(err, &session.EndedError{})
}

// A subscription that looks alive and carries nothing is noticed and replaced.
func TestHalfOpenSubscription(t *testing.T) {
	t.Parallel()
	a, b, link, ticket := behindLink(t, time.Second)
	link.freeze()
	if _, err := b.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session is over here too, by age", func() bool { return isOver(a, ticket) })
	eventually(t, "it subscribes anew", func() bool { return a.Stats().Resubscribed > 0 })
	heard(t, b, a)
}

// What was lost between two subscriptions is forgotten with the second.
func TestGapBetweenTwoSubscriptions(t *testing.T) {
	t.Parallel()
	a, b, link, ticket := behindLink(t, time.Hour)
	link.cut()
	if _, err := b.End(context.Background(), "shop", ticket, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	find(t, a, ticket) // an hour's knowledge is allowed here
	link.mend()
	eventually(t, "the near cache is emptied", func() bool { return isOver(a, ticket) })
}

// Messages make it sooner than the age limit.
func TestMessagesReachTheNearCache(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(within(time.Hour)), p.manager(within(time.Hour))
		heard(t, b, a)
		ticket, s := start(t, b, ann("shop"))
		find(t, a, ticket)
		if _, err := b.Refresh(context.Background(), s, ticket, time.Minute, newAPI("refresh-1").refresh); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the renewal arrives", func() bool { return find(t, a, ticket).Generation == 2 })
		if n, err := b.EndAll(context.Background(), "shop", s.Subject); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		eventually(t, "the end arrives", func() bool {
			_, err := a.Find(context.Background(), "shop", ticket)
			return errors.As(err, &session.EndedError{})
		})
	})
}

// Calls with the near cache ask the store nothing.
func TestHitsAskNothing(t *testing.T) {
	s := startServer(t)
	p := redisPlace(t, s)
	m := p.manager(within(time.Hour))
	heard(t, p.manager(), m)
	ticket, _ := start(t, m, ann("shop"))
	before := m.Stats()
	for range 100 {
		find(t, m, ticket)
	}
	if after := m.Stats(); after.NearHits-before.NearHits != 100 || after.NearMisses != before.NearMisses {
		t.Fatalf("%+v after %+v", after, before)
	}
}
