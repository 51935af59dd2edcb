package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
)

func keys(list ...credential.Secret) func(*session.Options) {
	return func(o *session.Options) { o.Keys = list }
}

// The fear: rolling the keys signs people out, or hides sessions from who wants
// to end them.
func TestKeysRoll(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		ctx := context.Background()
		before := p.manager(keys(keyA))
		appended := p.manager(keys(keyA, keyB))
		rolled := p.manager(keys(keyB, keyA))
		old, s := start(t, before, ann("shop"))
		find(t, appended, old)
		find(t, rolled, old)
		young, _ := start(t, rolled, ann("shop"))
		find(t, appended, young) // while both settings run

		for _, m := range []*session.Manager{appended, rolled} {
			if entries, err := m.List(ctx, "shop", s.Subject); err != nil || len(entries) != 2 {
				t.Fatalf("list: %v, %v", entries, err)
			}
		}
		if n, err := appended.EndAll(ctx, "shop", s.Subject); n != 2 || err != nil {
			t.Fatalf("end all: %d, %v", n, err)
		}
		dead(t, rolled, "shop", old, session.Revoked)
		dead(t, rolled, "shop", young, session.Revoked)
	})
}

// A record under a key that this replica does not have is left alone: another
// replica has it.
func TestUnknownKeyTouchesNothing(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		var lines logged
		owner := p.manager(keys(keyA))
		stranger := p.manager(keys(keyC), func(o *session.Options) { o.Log = lines.Logger() })
		ticket, _ := start(t, owner, ann("shop"))
		dead(t, stranger, "shop", ticket, session.Expired)
		find(t, owner, ticket)
		if !strings.Contains(lines.String(), "not in sessions.keys") {
			t.Fatalf("not logged: %s", lines.String())
		}
	})
}

// A refresh seals under the first key, so the old one can go in the end.
func TestRefreshSealsUnderTheFirstKey(t *testing.T) {
	eachStore(t, func(t *testing.T, p *place) {
		before, rolled, after := p.manager(keys(keyA)), p.manager(keys(keyB, keyA)), p.manager(keys(keyB))
		ticket, s := start(t, before, ann("shop"))
		dead(t, after, "shop", ticket, session.Expired)
		_, err := rolled.Refresh(context.Background(), s, ticket, time.Minute, func(context.Context, *credential.Credential) (*credential.Credential, error) {
			return tokens("access-2", "refresh-2"), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := find(t, after, ticket); got.Generation != 2 {
			t.Fatalf("generation %d", got.Generation)
		}
	})
}

func TestKeysAreChecked(t *testing.T) {
	cases := map[string][]credential.Secret{
		"none":  nil,
		"short": {credential.NewSecret("too-short")},
		"twice": {keyA, keyB, keyA},
		"empty": {keyA, {}},
	}
	for name, list := range cases {
		st := openStore(t, "memory://", nil)
		if _, err := session.NewManager(st, session.Options{Keys: list}); err == nil {
			t.Errorf("%s: accepted", name)
		}
		_ = st.Close()
	}
}

// Reconfigure swaps keys and times under running sessions.
func TestReconfigure(t *testing.T) {
	p := memoryPlace(t)
	m := p.manager(keys(keyA))
	ticket, _ := start(t, m, ann("shop"))
	if err := m.Reconfigure(session.Options{Keys: []credential.Secret{keyB}, IdleTimeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	dead(t, m, "shop", ticket, session.Expired)
	if err := m.Reconfigure(session.Options{}); err == nil {
		t.Fatal("no keys were accepted")
	}
	if err := m.Reconfigure(session.Options{Keys: []credential.Secret{keyB, keyA}, IdleTimeout: time.Minute}); err != nil {
		t.Fatal(err)
	}
	if left := m.IdleLeft(find(t, m, ticket)); left > time.Minute {
		t.Fatalf("idle left: %v", left)
	}
}
