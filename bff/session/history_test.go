package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

// modelled is what a simple mind knows of one session.
type modelled struct {
	ticket     session.Ticket
	id         string
	frontend   string
	generation uint64
	created    time.Time
	seen       time.Time // last extension
	before     time.Time // an earlier one, which another replica's near cache may still tell
	ended      bool
	why        session.Reason
	endedAt    time.Time
	forgotten  bool   // the tombstone may be gone
	backup     []byte // a stored value from the past
}

const (
	modelIdle = 10 * time.Minute
	modelLife = time.Hour
)

// histories runs random steps against two replicas over one store and compares every
// answer with what a simple mind expects.
type histories struct {
	t        *testing.T
	p        *place
	rand     *rand.Rand
	near     time.Duration
	replicas []*session.Manager
	sessions []*modelled
	steps    []string
}

func (m *histories) say(format string, args ...any) {
	m.steps = append(m.steps, fmt.Sprintf(format, args...))
}

func (m *histories) fail(format string, args ...any) {
	m.t.Helper()
	last := m.steps[max(0, len(m.steps)-25):]
	for _, step := range last {
		m.t.Log(step)
	}
	m.t.Fatalf(format, args...)
}

// expire ends in the model what time has ended.
func (m *histories) expire() {
	now := m.p.Clock.Now()
	for _, s := range m.sessions {
		if !s.ended && (now.Sub(s.seen) >= modelIdle || now.Sub(s.created) >= modelLife) {
			s.ended, s.why, s.endedAt = true, session.Expired, now.Add(-time.Hour)
		}
		s.forgotten = s.ended && now.Sub(s.endedAt) >= 10*time.Minute
	}
}

func (m *histories) step() {
	m.expire()
	replica := m.replicas[m.rand.IntN(len(m.replicas))]
	if len(m.sessions) == 0 || m.rand.IntN(10) == 0 {
		m.signIn(replica)
		return
	}
	s := m.sessions[m.rand.IntN(len(m.sessions))]
	switch m.rand.IntN(12) {
	case 0, 1, 2:
		m.look(replica, s, "find", replica.Find)
	case 3:
		m.look(replica, s, "look", replica.Peek)
	case 4:
		m.look(replica, s, "extend", replica.Extend)
	case 5, 6:
		m.refresh(replica, s)
	case 7:
		m.end(replica, s)
	case 8:
		m.endMany(replica, s)
	case 9:
		m.bringBack(s)
	case 10:
		m.list(replica, s.frontend)
	default:
		d := time.Duration(m.rand.IntN(150)) * time.Second
		m.say("time passes: %v", d)
		m.p.Clock.Advance(d)
	}
}

func (m *histories) signIn(r *session.Manager) {
	frontend := []string{"shop", "admin"}[m.rand.IntN(2)]
	ticket, s, err := r.Start(context.Background(), ann(frontend))
	m.say("sign-in %d at %s", len(m.sessions), frontend)
	if err != nil {
		m.fail("sign-in: %v", err)
	}
	now := m.p.Clock.Now()
	m.sessions = append(m.sessions, &modelled{ticket: ticket, id: s.ID, frontend: frontend, generation: 1, created: now, seen: now, before: now,
		backup: load(m.t, m.p, storeKey(ticket))})
}

type lookup = func(context.Context, string, session.Ticket) (*session.Session, error)

func (m *histories) look(r *session.Manager, s *modelled, what string, f lookup) {
	m.say("%s %s", what, s.id)
	if m.rand.IntN(8) == 0 {
		if got, err := f(context.Background(), s.frontend+"x", s.ticket); got != nil || !errors.As(err, &session.EndedError{}) {
			m.fail("%s at another frontend: %v, %v", what, got, err)
		}
	}
	got, err := f(context.Background(), s.frontend, s.ticket)
	now := m.p.Clock.Now()
	touched := what == "find" && now.Sub(s.seen) >= time.Minute
	if what == "find" && now.Sub(s.seen) <= m.near && now.Sub(s.before) >= time.Minute {
		touched = got != nil && r.IdleLeft(got) == modelIdle // a near cache may not know yet that it was touched
	}
	if !s.ended && (what == "extend" || touched) {
		if now.Sub(s.seen) > m.near { // else a near cache may still hold what was before that
			s.before = s.seen
		}
		s.seen = now
	}
	m.compare(r, s, what, got, err)
}

// compare checks one answer: alive with the right generation and times, or dead
// for the right reason.
func (m *histories) compare(r *session.Manager, s *modelled, what string, got *session.Session, err error) {
	m.t.Helper()
	var d session.EndedError
	switch {
	case s.ended && (!errors.As(err, &d) || got != nil || d.Reason != s.why && (!s.forgotten || d.Reason != session.Expired)):
		m.fail("%s of %s: %v, %v; want dead: %q", what, s.id, got, err, s.why)
	case s.ended:
	case err != nil:
		m.fail("%s of %s: %v; want it alive", what, s.id, err)
	case got.ID != s.id || got.Generation != s.generation:
		m.fail("%s of %s: %s, generation %d; want %d", what, s.id, got.ID, got.Generation, s.generation)
	default:
		m.compareIdle(s, what, r.IdleLeft(got))
	}
}

// compareIdle: never late, and early by no more than an extension may be held back.
func (m *histories) compareIdle(s *modelled, what string, left time.Duration) {
	m.t.Helper()
	now := m.p.Clock.Now()
	most := min(modelIdle-now.Sub(s.seen), modelLife-now.Sub(s.created))
	least := most - time.Minute
	if now.Sub(s.seen) <= m.near {
		least = min(least, modelIdle-now.Sub(s.before)-time.Minute)
	}
	if left > most || left < least {
		m.fail("%s of %s: idle left %v, want %v to %v", what, s.id, left, least, most)
	}
}

func (m *histories) refresh(r *session.Manager, s *modelled) {
	before, err := r.Peek(context.Background(), s.frontend, s.ticket)
	m.compare(r, s, "look before refresh", before, err)
	if err != nil {
		return
	}
	m.p.Clock.Advance(1100 * time.Millisecond) // a failure is forgotten
	outcome := []error{nil, nil, errors.New("unreachable"), session.ErrCredentialDead}[m.rand.IntN(4)]
	m.say("refresh %s: %v", s.id, outcome)
	m.expire()
	got, err := r.Refresh(context.Background(), before, s.ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		if outcome != nil {
			return nil, outcome
		}
		return tokens("next", "next"), nil
	})
	switch {
	case s.ended:
	case outcome == nil:
		s.generation++
	case errors.Is(outcome, session.ErrCredentialDead):
		s.ended, s.why, s.endedAt = true, session.Upstream, m.p.Clock.Now()
	default:
		if !errors.Is(err, outcome) {
			m.fail("failed refresh of %s: %v", s.id, err)
		}
		return
	}
	m.compare(r, s, "refresh", got, err)
}

func (m *histories) end(r *session.Manager, s *modelled) {
	m.say("end %s", s.id)
	got, err := r.End(context.Background(), s.frontend, s.ticket, session.SignedOut)
	if err != nil || (got != nil) == s.ended {
		m.fail("end of %s: %v, %v; ended before: %v", s.id, got, err, s.ended)
	}
	if !s.ended {
		s.ended, s.why, s.endedAt = true, session.SignedOut, m.p.Clock.Now()
	}
}

func (m *histories) endMany(r *session.Manager, s *modelled) {
	keep := ""
	want := 0
	current, err := r.Peek(context.Background(), s.frontend, s.ticket)
	for _, other := range m.sessions {
		if other.frontend == s.frontend && !other.ended && other != s {
			want++
			other.ended, other.why, other.endedAt = true, session.Revoked, m.p.Clock.Now()
		}
	}
	var n int
	if err == nil {
		keep = s.id
		n, err = r.EndOthers(context.Background(), current)
	} else {
		n, err = r.EndAll(context.Background(), s.frontend, "ann@example.com")
	}
	m.say("end all at %s but %q: %d", s.frontend, keep, n)
	if err != nil || n != want {
		m.fail("ended %d, %v; want %d", n, err, want)
	}
}

// bringBack puts an old value back for a session that was ended not long ago, as a
// failover does. Replicas remember the end.
func (m *histories) bringBack(s *modelled) {
	if s.ended && s.why != session.Expired && !s.forgotten {
		m.say("the store brings back %s", s.id)
		put(m.t, m.p, storeKey(s.ticket), s.backup)
	}
}

func (m *histories) list(r *session.Manager, frontend string) {
	m.say("list %s", frontend)
	entries, err := r.List(context.Background(), frontend, "ann@example.com")
	want := 0
	for _, s := range m.sessions {
		if s.frontend == frontend && !s.ended {
			want++
		}
	}
	if err != nil || len(entries) != want {
		m.fail("%d entries, %v; want %d", len(entries), err, want)
	}
}

// seed is COATCHECK_SEED or a new one; it is printed when the test fails.
func seed(t *testing.T) uint64 {
	n := rand.Uint64()
	if text := os.Getenv("COATCHECK_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("COATCHECK_SEED=%d", n)
		}
	})
	return n
}

// Random steps of sign-in, call, refresh, sign-out, expiry and failover, one
// after the other over two replicas, against a simple mind.
func TestHistories(t *testing.T) {
	n := seed(t)
	for run := range uint64(30) {
		random := rand.New(rand.NewPCG(n, run))
		p := memoryPlace(t)
		near := []time.Duration{0, time.Second, 5 * time.Second}[random.IntN(3)]
		set := func(o *session.Options) { o.NearCache, o.IdleTimeout, o.MaxLifetime = near, modelIdle, modelLife }
		m := &histories{t: t, p: p, rand: random, near: near, replicas: []*session.Manager{p.manager(set), p.manager(set)}}
		heard(t, m.replicas[0], m.replicas[1])
		heard(t, m.replicas[1], m.replicas[0])
		for range 300 {
			m.step()
		}
		for _, r := range m.replicas {
			_ = r.Close()
		}
	}
}

// Random work at once, against a real Redis and an API that takes a token used
// twice for theft: nothing is ever lost, reused or brought back.
func TestHistoriesAtOnce(t *testing.T) {
	n := seed(t)
	p := redisPlace(t, startServer(t))
	upstream := newAPI()
	upstream.pause = time.Millisecond
	replicas := []replica{{p.manager(within(time.Second)), time.Second}, {p.manager(within(time.Second)), time.Second}, {p.manager(), 0}}
	var sessions sync.WaitGroup
	for i := range uint64(24) {
		sessions.Go(func() { atOnce(t, replicas, upstream, rand.New(rand.NewPCG(n, i)), i) })
	}
	sessions.Wait()
	if calls, reused := upstream.count(); reused != 0 || calls == 0 {
		t.Errorf("%d refreshes, %d tokens used twice", calls, reused)
	}
}

// replica is a manager and for how long it may serve a session from its near cache.
type replica struct {
	*session.Manager
	near time.Duration
}

// late holds one answer against the promise of a sign-out: a question that was begun
// later than the near cache's age after the end was answered finds the session dead.
func (r replica) late(begun time.Time, ended *time.Time) bool {
	return ended != nil && begun.Sub(*ended) > r.near
}

// atOnce lets five workers at one session until one of them ends it; each goes on
// until it is told of the end.
func atOnce(t *testing.T, replicas []replica, upstream *api, random *rand.Rand, i uint64) {
	ctx := context.Background()
	in := ann("shop")
	token := fmt.Sprint("token-", i)
	upstream.allow(token)
	in.Subject, in.Credential = fmt.Sprint("person-", i), tokens("access", token)
	ticket, first, err := replicas[0].Start(ctx, in)
	if err != nil {
		t.Error(err)
		return
	}
	var ended atomic.Pointer[time.Time] // when the end was answered
	var workers sync.WaitGroup
	for w := range 5 {
		own := rand.New(rand.NewPCG(random.Uint64(), uint64(w)))
		signOutAt := -1
		if w == 0 {
			signOutAt = 10 + own.IntN(50)
		}
		workers.Go(func() {
			known := first
			for step := 0; ; step++ {
				m := replicas[(w+step)%len(replicas)]
				if step == signOutAt {
					if _, err := m.End(ctx, "shop", ticket, session.SignedOut); err != nil {
						t.Error(err)
					}
					now := time.Now()
					ended.Store(&now)
				}
				over, begun := ended.Load(), time.Now()
				s, err := oneStep(ctx, m.Manager, own, ticket, known, upstream)
				var d session.EndedError
				switch {
				case errors.As(err, &d) && step < signOutAt:
					t.Errorf("session %d ended by itself: %v", i, err)
				case errors.As(err, &d):
					return
				case err != nil:
					t.Errorf("session %d: %v", i, err)
					return
				case m.late(begun, over):
					// A refresh may have joined one that was as good as done at the end.
					if s, err := m.Peek(ctx, "shop", ticket); s != nil || !errors.As(err, &d) {
						t.Errorf("session %d lives %v after its end was answered: %v", i, begun.Sub(*over), err)
					}
					return
				default:
					known = s
				}
			}
		})
	}
	workers.Wait()
	for _, m := range replicas {
		eventually(t, "every replica knows of the end", func() bool {
			begun := time.Now()
			s, err := m.Peek(ctx, "shop", ticket)
			if s != nil && m.late(begun, ended.Load()) {
				t.Errorf("session %d lives after its end", i)
			}
			return errors.As(err, &session.EndedError{})
		})
	}
}

func oneStep(ctx context.Context, m *session.Manager, random *rand.Rand, ticket session.Ticket, known *session.Session, upstream *api) (*session.Session, error) {
	switch random.IntN(6) {
	case 0:
		return m.Extend(ctx, "shop", ticket)
	case 1:
		return m.Peek(ctx, "shop", ticket)
	case 2, 3:
		return m.Refresh(ctx, known, ticket, time.Minute, upstream.refresh)
	}
	return m.Find(ctx, "shop", ticket)
}
