package session

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// familiarFor is how long an address counts as one an account signs in from.
const familiarFor = 30 * 24 * time.Hour

// Limits are the most failed sign-ins within Window, for an account and for an
// address. A limit of 0 or less is none.
type Limits struct {
	Account, Address int
	Window           time.Duration

	// Shared names counts that several frontends use together. Empty: the
	// frontend has its own. Frontends that share must have equal limits, and the
	// same people behind them: a success at one clears the count for all.
	Shared string
}

// scope is what the names of the counts begin with. The two forms differ in length,
// so no frontend's own counts are ever those of a shared name.
func (l Limits) scope(frontend string) []string {
	if l.Shared != "" {
		return []string{"shared", "throttle", l.Shared}
	}
	return []string{frontend}
}

// Attempt is a counted sign-in. Leave it alone if the sign-in failed; else call
// one of its methods.
type Attempt struct {
	m       *Manager
	own     Counted
	earlier []Counted // of the same sign-in, whose steps this one follows
	account []string  // those of own's keys that count the account
	pairs   []string  // keys that mark the address as familiar
}

// Counted is where an attempt was counted. It opens nothing.
type Counted struct {
	ID   string   `json:"id"`
	Keys []string `json:"keys"`
}

// Attempt counts a sign-in before the API is asked, so that any number of
// guesses at one instant stays within the limits. It returns [Throttled] when a
// limit is reached, and then the API must not be asked; [ErrUnavailable] when the
// store could not count.
//
// The address is counted first: an address at its limit leaves no trace of the
// accounts that it makes up.
//
// The account is compared trimmed, in Unicode NFC, case-folded; an address whole
// (IPv4) or by its /64 (IPv6). An address from which the account signed in within
// 30 days has an account count of its own, so that strangers cannot lock a
// person out at home. An empty account is not counted, nor is an invalid address.
func (m *Manager) Attempt(ctx context.Context, frontend, account string, address netip.Addr, l Limits) (*Attempt, error) {
	o := m.settings.Load()
	who, where := foldAccount(account), network(address)
	scope := l.scope(frontend)
	a := &Attempt{m: m, own: Counted{ID: rand.Text()[:16]}}
	if who != "" && where != "" {
		a.pairs = m.throttleKeys(o, ":f:", scope, "familiar", who, where)
	}
	if where != "" && l.Address > 0 {
		if err := a.count(ctx, m.throttleKeys(o, ":t:i:", scope, "address", where), l.Address, l.Window); err != nil {
			return nil, err
		}
	}
	if who == "" || l.Account <= 0 {
		return a, nil
	}
	keys, err := m.accountKeys(ctx, o, a, scope, who, where)
	if err != nil {
		_ = a.GiveBack(context.WithoutCancel(ctx)) // the store's failure; it runs out at the window's end
		return nil, unavailable("throttle", err)
	}
	if err := a.count(ctx, keys, l.Account, l.Window); err != nil {
		return nil, err
	}
	a.account = keys
	return a, nil
}

// accountKeys are those of the account's count: its own for a familiar address.
func (m *Manager) accountKeys(ctx context.Context, o *settings, a *Attempt, scope []string, who, where string) ([]string, error) {
	familiar, err := m.store.Marked(ctx, a.pairs...)
	if err != nil || !familiar {
		return m.throttleKeys(o, ":t:a:", scope, "account", who), err
	}
	return m.throttleKeys(o, ":t:o:", scope, "account", who, where), nil
}

// throttleKeys returns one key for each server key, in an order that all
// replicas share. All of them count: while keys roll, replicas with different
// lists have at least one in common, and that one holds the limit.
func (m *Manager) throttleKeys(o *settings, kind string, scope []string, parts ...string) []string {
	parts = append(slices.Clone(scope), parts...)
	keys := make([]string, len(o.sorted))
	for i, k := range o.sorted {
		keys[i] = m.prefix + kind + "{" + k.name(parts...) + "}"
	}
	return keys
}

// count counts the attempt under keys, or takes it back everywhere.
func (a *Attempt) count(ctx context.Context, keys []string, limit int, window time.Duration) error {
	for _, key := range keys {
		retry, err := a.m.store.Count(ctx, key, a.own.ID, limit, window)
		if err == nil && retry == 0 {
			a.own.Keys = append(a.own.Keys, key)
			continue
		}
		back := a.GiveBack(context.WithoutCancel(ctx))
		if err != nil {
			return unavailable("throttle", err)
		}
		if back != nil {
			return back
		}
		return Throttled{RetryAfter: retry}
	}
	return nil
}

// Follow makes a the next step of a sign-in that was counted before.
func (a *Attempt) Follow(earlier []Counted) { a.earlier = earlier }

// Counts are all counts of the sign-in so far, for [Attempt.Follow] of its next step.
func (a *Attempt) Counts() []Counted { return append(slices.Clone(a.earlier), a.own) }

// Succeeded clears the account's count, gives the address's back, those of earlier
// steps as well, and remembers that the account signed in from this address.
func (a *Attempt) Succeeded(ctx context.Context) error {
	err := a.m.uncount(ctx, a.Counts()...)
	for _, key := range a.account {
		if e := a.m.store.Forget(ctx, key); e != nil {
			err = unavailable("throttle", e)
		}
	}
	for _, key := range a.pairs {
		if e := a.m.store.Mark(ctx, key, familiarFor); e != nil {
			err = unavailable("throttle", e)
		}
	}
	return err
}

// GiveBack takes the attempt out of both counts: the failure was ours or the
// API's. Earlier steps stay counted, until the sign-in succeeds.
func (a *Attempt) GiveBack(ctx context.Context) error { return a.m.uncount(ctx, a.own) }

func (m *Manager) uncount(ctx context.Context, counts ...Counted) error {
	for _, c := range counts {
		for _, key := range c.Keys {
			if err := m.store.Uncount(ctx, key, c.ID); err != nil {
				return unavailable("throttle", err)
			}
		}
	}
	return nil
}

// foldAccount makes equal what an API is likely to take for the same account.
func foldAccount(account string) string {
	folded := cases.Fold().String(norm.NFC.String(strings.TrimSpace(account)))
	return norm.NFC.String(folded)
}

// network is what of an address is one household's: all of IPv4, /64 of IPv6.
func network(address netip.Addr) string {
	address = address.Unmap().WithZone("")
	if !address.Is6() {
		if address.IsValid() {
			return address.String()
		}
		return ""
	}
	prefix, err := address.Prefix(64)
	if err != nil {
		return ""
	}
	return prefix.String()
}
