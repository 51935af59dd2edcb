package session_test

import (
	"context"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

// The fear: a session outlives its refresh token, or ends with one that was renewed.
func TestSessionEndsWithItsRefreshToken(t *testing.T) {
	ctx := context.Background()
	for _, near := range []time.Duration{0, 5 * time.Second} {
		p := memoryPlace(t)
		m := p.manager(func(o *session.Options) { o.IdleTimeout, o.NearCache = 30*time.Minute, near })
		until := func(left time.Duration) session.Start {
			in := ann("shop")
			in.RefreshAble = true
			in.Credential = credential.New(in.Credential.Values(), p.Clock.Now().Add(time.Hour), p.Clock.Now().Add(left))
			return in
		}
		ticket, s := start(t, m, until(10*time.Minute))
		if m.Left(s) != 10*time.Minute || m.IdleLeft(s) != 10*time.Minute {
			t.Errorf("left %v, idle left %v", m.Left(s), m.IdleLeft(s))
		}
		p.Clock.Advance(9 * time.Minute)
		s = find(t, m, ticket)
		renew := func(_ context.Context, old *credential.Credential) (*credential.Credential, error) {
			return old.Renew(credential.New(map[string]credential.Secret{credential.AccessToken: credential.NewSecret("a2"), credential.RefreshToken: credential.NewSecret("r2")},
				p.Clock.Now().Add(time.Hour), p.Clock.Now().Add(40*time.Minute))), nil
		}
		s, err := m.Refresh(ctx, s, ticket, time.Minute, renew)
		if err != nil || m.Left(s) != 40*time.Minute {
			t.Fatalf("renewed: left %v, %v", m.Left(s), err)
		}
		p.Clock.Advance(20 * time.Minute) // behind the old end, within the idle time
		find(t, m, ticket)
		p.Clock.Advance(20 * time.Minute)
		dead(t, m, "shop", ticket, session.Expired)

		if _, s = start(t, m, until(100*time.Hour)); m.Left(s) != 12*time.Hour {
			t.Errorf("a refresh token of 100 hours: left %v", m.Left(s))
		}
		in := until(time.Minute)
		in.Provider = "keycloak"
		if _, s = start(t, m, in); m.Left(s) != 12*time.Hour {
			t.Errorf("a provider's refresh token: left %v", m.Left(s))
		}
	}
}
