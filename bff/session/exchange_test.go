package session_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

// exchanged makes an exchange that gives token to the same person.
func exchanged(token string) session.ExchangeFunc {
	return func(_ context.Context, now *session.Session) (session.Start, error) {
		return session.Start{Credential: now.Credential.Renew(tokens(token, "")), RefreshAble: true}, nil
	}
}

// The fear: an old ticket works on, or a stream is lost, where the person only changed
// the organisation.
func TestExchangeMovesTheSession(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		heard(t, a, b)
		ctx := context.Background()
		ticket, s := start(t, a, ann("shop"))
		here, _ := watching(a, ticket)
		there, _ := watching(b, ticket)
		next, moved, err := a.Exchange(ctx, s, ticket, time.Minute, exchanged("t2"))
		if err != nil {
			t.Fatal(err)
		}
		if next == ticket || moved.ID != s.ID || moved.Subject != s.Subject || !moved.Created.Equal(s.Created) || !moved.Ends.Equal(s.Ends) ||
			moved.Credential.Value(credential.AccessToken).Reveal() != "t2" || moved.Credential.Value(credential.RefreshToken).IsEmpty() || string(moved.User) != string(s.User) {
			t.Errorf("moved: %v to %v", s, moved)
		}
		if _, err := a.Find(ctx, "shop", ticket); !errors.Is(err, session.EndedError{Reason: session.Expired}) {
			t.Errorf("the old ticket: %v", err)
		}
		if found, err := b.Find(ctx, "shop", next); err != nil || found.Credential.Value(credential.AccessToken).Reveal() != "t2" {
			t.Errorf("the new ticket: %v, %v", found, err)
		}
		list, err := a.ListFor(ctx, moved)
		if err != nil || len(list) != 1 || !list[0].Current {
			t.Errorf("list: %v, %v", list, err)
		}
		late, _ := watching(a, ticket) // begun between Find and the exchange
		if err := b.EndOne(ctx, "shop", s.Subject, s.ID); err != nil {
			t.Fatal(err)
		}
		for name, told := range map[string]chan session.Reason{"here": here, "there": there, "late": late} {
			if why := <-told; why != session.Revoked || len(told) != 0 {
				t.Errorf("%s: %q", name, why)
			}
		}
	})
}

// The fear: streams end because the message that they go on was lost.
func TestExchangeWithoutAMessage(t *testing.T) {
	p := memoryPlace(t)
	a, b := p.manager(), p.manager()
	ticket, s := start(t, a, ann("shop"))
	told, _ := watching(b, ticket)
	next, _, err := a.Exchange(context.Background(), s, ticket, time.Second, exchanged("t2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Peek(context.Background(), "shop", ticket); !errors.Is(err, session.EndedError{Reason: session.Expired}) {
		t.Errorf("the old ticket elsewhere: %v", err) // it asks the store, and so learns of the move
	}
	if len(told) != 0 {
		t.Error("the stream ended")
	}
	if _, err := b.End(context.Background(), "shop", next, session.SignedOut); err != nil {
		t.Fatal(err)
	}
	if why := <-told; why != session.SignedOut {
		t.Errorf("told %q", why)
	}
}

// The fear: an exchange brings back a session that was signed out meanwhile, or its
// failure harms the one that is there.
func TestExchangeOfWhatEnds(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		orphans := make(chan string, 1)
		m := p.manager(func(o *session.Options) {
			o.Orphaned = func(_ context.Context, _ *session.Session, c *credential.Credential) {
				orphans <- c.Value(credential.AccessToken).Reveal()
			}
		})
		ctx := context.Background()
		ticket, s := start(t, m, ann("shop"))
		wrong := errors.New("wrong password")
		if _, _, err := m.Exchange(ctx, s, ticket, time.Minute, func(context.Context, *session.Session) (session.Start, error) {
			return session.Start{}, wrong
		}); !errors.Is(err, wrong) {
			t.Errorf("a refusal: %v", err)
		}
		if _, err := m.Find(ctx, "shop", ticket); err != nil {
			t.Errorf("after a refusal: %v", err)
		}
		next, _, err := m.Exchange(ctx, s, ticket, time.Minute, func(ctx context.Context, now *session.Session) (session.Start, error) {
			if _, err := m.End(ctx, "shop", ticket, session.SignedOut); err != nil {
				t.Error(err)
			}
			return exchanged("t2")(ctx, now)
		})
		if !errors.Is(err, session.EndedError{Reason: session.SignedOut}) || !next.IsZero() {
			t.Errorf("ended meanwhile: %v", err)
		}
		if list, err := m.List(ctx, "shop", s.Subject); err != nil || len(list) != 0 {
			t.Errorf("left: %v, %v", list, err)
		}
		if got := <-orphans; got != "t2" {
			t.Errorf("handed on: %s", got)
		}
	})
}

// The fear: another person's stream shows the first one's data.
func TestExchangeForAnotherPerson(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		m := p.manager()
		ctx := context.Background()
		ticket, s := start(t, m, ann("shop"))
		told, _ := watching(m, ticket)
		_, bob, err := m.Exchange(ctx, s, ticket, time.Minute, func(context.Context, *session.Session) (session.Start, error) {
			return session.Start{Subject: "bob", Credential: tokens("b", "")}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if why := <-told; why != session.Expired {
			t.Errorf("told %q", why)
		}
		if bob.ID == s.ID || bob.Subject != "bob" || len(bob.User) != 0 {
			t.Errorf("bob: %+v", bob)
		}
		if list, err := m.List(ctx, "shop", s.Subject); err != nil || len(list) != 0 {
			t.Errorf("ann's list: %v, %v", list, err)
		}
	})
}

// The fear: a renewal and an exchange at once, and the newer token is lost.
func TestExchangeWaitsForARenewal(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		a, b := p.manager(), p.manager()
		ctx := context.Background()
		ticket, s := start(t, a, ann("shop"))
		renewing, finish := make(chan struct{}), make(chan struct{})
		renewed := make(chan error, 1)
		go func() {
			_, err := b.Refresh(ctx, s, ticket, time.Minute, func(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
				close(renewing)
				<-finish
				return old.Renew(tokens("t2", "r2")), nil
			})
			renewed <- err
		}()
		<-renewing
		var seen string
		done := make(chan error, 1)
		go func() {
			_, moved, err := a.Exchange(ctx, s, ticket, time.Minute, func(ctx context.Context, now *session.Session) (session.Start, error) {
				seen = now.Credential.Value(credential.AccessToken).Reveal()
				return exchanged("t3")(ctx, now)
			})
			if err == nil && moved.Credential.Value(credential.RefreshToken).Reveal() != "r2" {
				err = errors.New("the renewed refresh token is lost")
			}
			done <- err
		}()
		close(finish)
		if err := <-renewed; err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil || seen != "t2" {
			t.Errorf("exchange after %q: %v", seen, err)
		}
	})
}
