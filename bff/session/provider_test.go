package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coatcheck/bff/session"
)

// atProvider is a sign-in of Ann's at a provider, whose session is sid.
func atProvider(sid string, signedIn, began time.Time) session.Start {
	in := ann("shop")
	in.Provider, in.ProviderSession, in.ProviderTime, in.Began = "id", sid, signedIn, began
	return in
}

// TestSubjectTombstone: a logout token that names a person only is over every sign-in that
// is stored behind it and was made before it, and over no later one.
func TestSubjectTombstone(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m, ctx := p.manager(), context.Background()
		second := time.Unix(1_700_000_000, 0)
		before := m.Now()
		if _, err := m.EndByProvider(ctx, session.ProviderLogout{Provider: "id", Subject: "ann@example.com", TokenID: "one", IssuedAt: second, Until: m.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		after := m.Now().Add(time.Second)
		other := atProvider("", second, before)
		other.Subject = "bob@example.com"
		elsewhere := atProvider("", second, before)
		elsewhere.Provider = "hub"
		for name, row := range map[string]struct {
			in   session.Start
			dies bool
		}{
			"a second before":              {atProvider("", second.Add(-time.Second), after), true},
			"in that second, begun before": {atProvider("", second, before.Add(-time.Second)), true},
			"in that second, begun after":  {atProvider("", second, after), false},
			"a second after":               {atProvider("", second.Add(time.Second), before), false},
			"somebody else":                {other, false},
			"at another provider":          {elsewhere, false},
		} {
			ticket, _, err := m.Start(ctx, row.in)
			if errors.Is(err, session.ErrLoggedOut) != row.dies || !row.dies && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !row.dies {
				find(t, m, ticket)
			}
		}
	})
}

// TestSessionTombstone: a logout token that names a session of the provider's is over every
// sign-in of it that was begun before, whenever its code is redeemed, and over none that was
// begun later: a provider may end our part of a session that goes on.
func TestSessionTombstone(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m, ctx := p.manager(), context.Background()
		second := time.Unix(1_700_000_000, 0)
		before := m.Now()
		if _, err := m.EndByProvider(ctx, session.ProviderLogout{Provider: "id", Session: "s-1", TokenID: "one", IssuedAt: second, Until: m.Now().Add(time.Minute)}); err != nil {
			t.Fatal(err)
		}
		after := m.Now().Add(time.Second)
		for name, row := range map[string]struct {
			in   session.Start
			dies bool
		}{
			"a second before":                  {atProvider("s-1", second.Add(-time.Second), after), true},
			"in that second, begun before":     {atProvider("s-1", second, before.Add(-time.Second)), true},
			"a minute after, begun before":     {atProvider("s-1", second.Add(time.Minute), before.Add(-time.Second)), true},
			"a second after, begun after":      {atProvider("s-1", second.Add(time.Second), after), false},
			"another session, a second before": {atProvider("s-2", second.Add(-time.Second), before), false},
			"no session, a second before":      {atProvider("", second.Add(-time.Second), before), false},
		} {
			ticket, _, err := m.Start(ctx, row.in)
			if errors.Is(err, session.ErrLoggedOut) != row.dies || !row.dies && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !row.dies {
				find(t, m, ticket)
			}
		}
	})
}

// TestJoin: a session ends with each of the provider's sessions that it was joined to, and
// joins none that has ended.
func TestJoin(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m, ctx := p.manager(), context.Background()
		signedIn := time.Unix(1_700_000_000, 0)
		end := func(sid, token string) int {
			n, err := m.EndByProvider(ctx, session.ProviderLogout{Provider: "id", Session: sid, TokenID: token, IssuedAt: signedIn, Until: m.Now().Add(time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		ticket, s := start(t, m, atProvider("one", signedIn, m.Now()))
		end("over", "t1")
		if err := m.Join(ctx, s, atProvider("over", signedIn, m.Now().Add(-time.Minute))); !errors.Is(err, session.ErrLoggedOut) {
			t.Errorf("joined to what has ended: %v", err)
		}
		find(t, m, ticket)
		if err := m.Join(ctx, s, atProvider("two", signedIn, m.Now())); err != nil {
			t.Fatal(err)
		}
		if n := end("two", "t2"); n != 1 {
			t.Errorf("%d ended", n)
		}
		dead(t, m, "shop", ticket, session.Revoked)
		if n := end("one", "t3"); n != 0 {
			t.Errorf("%d ended twice", n)
		}
	})
}
