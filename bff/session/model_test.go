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

// TestModel plays random steps of sign-in, refresh, sign-out and expiry at three
// replicas over one store, and holds every answer against a model of a few lines. A
// failure names its seed; COATCHECK_SEED plays it again.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	if text := os.Getenv("COATCHECK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	eachStore(t, func(t *testing.T, p *place) {
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("play again with COATCHECK_SEED=%d", seed)
			}
		})
		g := &game{T: t, random: rand.New(rand.NewPCG(seed, 1)), clock: p.clock}
		for range 3 {
			g.replicas = append(g.replicas, p.manager(func(o *session.Options) {
				o.Orphaned = func(context.Context, *session.Session, *credential.Credential) { g.orphans.Add(1) }
			}))
		}
		for g.steps = 0; g.steps < 600 && !t.Failed(); g.steps++ {
			g.step()
		}
	})
}

// game is the replicas, the model of one session, and the API that renews it.
type game struct {
	*testing.T
	random   *rand.Rand
	clock    *clock
	replicas []*session.Manager
	steps    int
	ticket   session.Ticket
	orphans  atomic.Int64

	// The model.
	over       session.Reason // empty while the session lives
	generation uint64
	spent      int          // by the API: refresh token number, from 1
	calls      atomic.Int64 // of the API, in this step
}

func (g *game) any() *session.Manager { return g.replicas[g.random.IntN(len(g.replicas))] }

func (g *game) step() {
	if g.generation == 0 || g.over != "" && g.random.IntN(4) == 0 {
		g.signIn()
		return
	}
	steps := []func(){g.look, g.look, g.extend, g.renew, g.renewEverywhere, g.renewWithOldKnowledge,
		g.unreachable, g.signOutMeanwhile, g.extendMeanwhile, g.signOut, g.revoke, g.refused, g.idle}
	steps[g.random.IntN(len(steps))]()
	g.look()
}

func (g *game) signIn() {
	in := ann("shop")
	g.spent++
	in.Credential = tokens(fmt.Sprint("access-", g.spent), fmt.Sprint("refresh-", g.spent))
	g.ticket, _ = start(g.T, g.any(), in)
	g.over, g.generation = "", 1
}

// want holds an answer against the model.
func (g *game) want(what string, s *session.Session, err error) {
	g.Helper()
	var d session.Dead
	switch {
	case g.over != "" && (!errors.As(err, &d) || d.Reason != g.over):
		g.Errorf("step %d, %s: %v, %v; want the end, %s", g.steps, what, s, err, g.over)
	case g.over == "" && err != nil:
		g.Errorf("step %d, %s: %v; want generation %d", g.steps, what, err, g.generation)
	case g.over == "" && (s.Generation != g.generation || s.Credential.Value(credential.AccessToken).Reveal() != fmt.Sprint("access-", g.spent)):
		g.Errorf("step %d, %s: generation %d; want %d with token %d", g.steps, what, s.Generation, g.generation, g.spent)
	}
}

func (g *game) look() {
	for _, m := range g.replicas {
		s, err := m.Find(context.Background(), "shop", g.ticket)
		g.want("find", s, err)
	}
}

func (g *game) extend() {
	s, err := g.any().Extend(context.Background(), "shop", g.ticket)
	g.want("extend", s, err)
}

// api renews a token once: one that it has spent already it calls dead.
func (g *game) api(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
	g.calls.Add(1)
	if old.Value(credential.RefreshToken).Reveal() != fmt.Sprint("refresh-", g.spent) {
		g.Errorf("step %d: the API was given a spent token", g.steps)
		return nil, session.ErrCredentialDead
	}
	g.spent++
	return tokens(fmt.Sprint("access-", g.spent), fmt.Sprint("refresh-", g.spent)), nil
}

// known is the session as a replica sees it; nil if the model says it is over.
func (g *game) known(m *session.Manager) *session.Session {
	if g.over != "" {
		return nil
	}
	return find(g.T, m, g.ticket)
}

// refresh lets m renew s by f; times is how often the API must have been asked.
func (g *game) refresh(m *session.Manager, s *session.Session, f session.RefreshFunc) (*session.Session, error) {
	return m.Refresh(context.Background(), s, g.ticket, time.Minute, f)
}

func (g *game) asked(times int64) {
	g.Helper()
	if n := g.calls.Swap(0); n != times {
		g.Errorf("step %d: the API was asked %d times, want %d", g.steps, n, times)
	}
}

func (g *game) renew() {
	m := g.any()
	if s := g.known(m); s != nil {
		g.generation++
		fresh, err := g.refresh(m, s, g.api)
		g.want("refresh", fresh, err)
		g.asked(1)
	}
}

// renewEverywhere: all replicas at once; one asks the API.
func (g *game) renewEverywhere() {
	s := g.known(g.any())
	if s == nil {
		return
	}
	g.generation++
	var work sync.WaitGroup
	for _, m := range g.replicas {
		for range 4 {
			work.Go(func() {
				fresh, err := g.refresh(m, s, g.api)
				if err != nil || fresh.Generation != g.generation {
					g.Errorf("step %d, at once: %v, %v", g.steps, fresh, err)
				}
			})
		}
	}
	work.Wait()
	g.asked(1)
}

// renewWithOldKnowledge: who missed a refresh gets its result, without another.
func (g *game) renewWithOldKnowledge() {
	m, other := g.any(), g.any()
	s := g.known(m)
	if s == nil {
		return
	}
	g.generation++
	_, _ = g.refresh(other, s, g.api)
	fresh, err := g.refresh(m, s, g.api)
	g.want("a second refresh", fresh, err)
	g.asked(1)
}

// unreachable: nothing changes, and the replica that failed remembers it for a second.
func (g *game) unreachable() {
	m := g.any()
	s := g.known(m)
	if s == nil {
		return
	}
	away, begun := errors.New("away"), time.Now()
	if _, err := g.refresh(m, s, func(context.Context, *credential.Credential) (*credential.Credential, error) { return nil, away }); !errors.Is(err, away) {
		g.Errorf("step %d, unreachable: %v", g.steps, err)
	}
	g.generation++
	fresh, err := g.refresh(m, s, g.api)
	if took := time.Since(begun); !errors.Is(err, away) && (g.clock != nil || took < time.Second) {
		g.Errorf("step %d: the failure was not remembered for %v: %v", g.steps, took, err)
	}
	if g.clock != nil {
		g.asked(0)
		g.clock.advance(1100 * time.Millisecond)
	}
	eventually(g.T, "the failure is forgotten", func() bool {
		if errors.Is(err, away) {
			fresh, err = g.refresh(m, s, g.api)
		}
		return !errors.Is(err, away)
	})
	g.want("refresh after a failure", fresh, err)
	g.asked(1)
}

// signOutMeanwhile: the token that arrives for an ended session is an orphan.
func (g *game) signOutMeanwhile() {
	m, other := g.any(), g.any()
	s := g.known(m)
	if s == nil {
		return
	}
	g.over = session.SignedOut
	orphans := g.orphans.Load()
	fresh, err := g.refresh(m, s, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		if _, err := other.End(ctx, "shop", g.ticket, session.SignedOut); err != nil {
			g.Errorf("step %d: sign-out: %v", g.steps, err)
		}
		return g.api(ctx, old)
	})
	g.want("refresh of what was signed out", fresh, err)
	g.asked(1)
	if g.orphans.Load() != orphans+1 {
		g.Errorf("step %d: the orphan was not handed over", g.steps)
	}
}

// extendMeanwhile: a touch does not make a refresh lose its token.
func (g *game) extendMeanwhile() {
	m, other := g.any(), g.any()
	s := g.known(m)
	if s == nil {
		return
	}
	g.generation++
	fresh, err := g.refresh(m, s, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		if _, err := other.Extend(ctx, "shop", g.ticket); err != nil {
			g.Errorf("step %d: extend: %v", g.steps, err)
		}
		return g.api(ctx, old)
	})
	g.want("refresh of what was extended", fresh, err)
	g.asked(1)
}

func (g *game) signOut() {
	if _, err := g.any().End(context.Background(), "shop", g.ticket, session.SignedOut); err != nil {
		g.Errorf("step %d: sign-out: %v", g.steps, err)
	}
	g.endedBy(session.SignedOut)
}

func (g *game) revoke() {
	if _, err := g.any().EndAll(context.Background(), "shop", "ann@example.com"); err != nil {
		g.Errorf("step %d: revoke: %v", g.steps, err)
	}
	g.endedBy(session.Revoked)
}

func (g *game) refused() {
	m := g.any()
	s := g.known(m)
	if s == nil {
		return
	}
	g.endedBy(session.Upstream)
	fresh, err := g.refresh(m, s, func(context.Context, *credential.Credential) (*credential.Credential, error) {
		return nil, session.ErrCredentialDead
	})
	g.want("a refused refresh", fresh, err)
}

// idle lets the idle time pass, where time can be set, and tombstones with it.
func (g *game) idle() {
	if g.clock == nil || g.random.IntN(4) > 0 {
		return
	}
	g.clock.advance(31 * time.Minute)
	if g.over == "" {
		g.over = session.Expired
	} else {
		g.signIn()
	}
}

func (g *game) endedBy(why session.Reason) {
	if g.over == "" {
		g.over = why
	}
}
