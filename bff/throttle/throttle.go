// Package throttle counts sign-ins in the store before the API is asked, so that guesses
// stay within limits however many come at once and at whichever replica.
//
// Counts are kept for an account, for an account from a familiar address, and for an
// address; marks say which addresses an account signed in from. With the prefix
// "coatcheck" they lie under
//
//	coatcheck:t:a:{N}   failed sign-ins of an account; coatcheck:t:o:{N} from a familiar address
//	coatcheck:t:i:{N}   failed sign-ins from an address
//	coatcheck:f:{N}     marks an address an account signed in from, 30 days
//
// N is an HMAC, so no name of a person is in a key.
package throttle

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"coatcheck/bff/session/store"
)

// familiarFor is how long an address counts as one an account signs in from.
const familiarFor = 30 * 24 * time.Hour

// Limits are the most failed sign-ins within Window, for an account and for an
// address. A limit of 0 or less is none.
type Limits struct {
	// Account and Address are counts of failed sign-ins.
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

// Keys makes store keys of kind for something that parts name, one for each server key,
// in an order that all replicas share. While keys roll, replicas with different lists
// have at least one key in common, and that one holds the limit.
type Keys func(kind string, parts ...string) []string

// Throttle counts sign-ins. It is made by [New]; the zero value cannot be used.
type Throttle struct {
	counters store.Counters
	keys     Keys
	turns    *turns
}

// New makes a Throttle over counters, whose keys are made by keys.
func New(counters store.Counters, keys Keys) Throttle {
	return Throttle{counters, keys, &turns{queues: map[string][]chan struct{}{}}}
}

// ThrottledError is the error for a sign-in that must not be tried now, returned as a
// value. RetryAfter is above zero.
type ThrottledError struct {
	RetryAfter time.Duration // until the next attempt may come
	// full is the count that was at its limit, and of says whose it is, in a word; open
	// reports that some of the sign-ins in it are still under way.
	full string
	of   string
	open bool
}

func (e ThrottledError) Error() string {
	return fmt.Sprintf("throttle: too many failed sign-ins of the %s, retry in %s", e.of, e.RetryAfter)
}

// Attempt is a counted sign-in. One of Succeeded, GiveBack and Stay is to be
// called once it is known how the sign-in ended; without it the attempt stays counted.
// Whoever makes one defers Abandon.
type Attempt struct {
	counters store.Counters
	turns    *turns
	own      Counted
	earlier  []Counted // of the same sign-in, whose steps this one follows
	account  []string  // those of own's keys that count the account
	pairs    []string  // keys that mark the address as familiar
	decided  bool      // it is known how the sign-in ended
}

// Counted is where an attempt was counted. It opens nothing.
type Counted struct {
	ID   string   `json:"id"`   // of the attempt
	Keys []string `json:"keys"` // of the counts in the store
}

// Attempt counts a sign-in before the API is asked, so that any number of
// guesses at one instant stays within the limits. It returns [ThrottledError] when a
// limit is reached, and then the API must not be asked; [store.ErrUnavailable] when the
// store could not count.
//
// The address is counted first: an address at its limit leaves no trace of the
// accounts that it makes up.
//
// The account is compared trimmed, in Unicode NFC, case-folded; an address whole
// (IPv4) or by its /64 (IPv6). An address from which the account signed in within
// 30 days has an account count of its own, so that strangers cannot lock a
// person out at home. An empty account is not counted, nor is an invalid address.
func (t Throttle) Attempt(ctx context.Context, frontend, account string, address netip.Addr, l Limits) (*Attempt, error) {
	who, where := foldAccount(account), network(address)
	scope := l.scope(frontend)
	a := &Attempt{counters: t.counters, turns: t.turns, own: Counted{ID: rand.Text()[:16]}}
	if who != "" && where != "" {
		a.pairs = t.keysOf("f", scope, "familiar", who, where)
	}
	if where != "" && l.Address > 0 {
		if err := a.count(ctx, "address", t.keysOf("t:i", scope, "address", where), l.Address, l.Window); err != nil {
			return nil, err
		}
	}
	if who == "" || l.Account <= 0 {
		return a, nil
	}
	keys, err := t.accountKeys(ctx, a, scope, who, where)
	if err != nil {
		_ = a.GiveBack(context.WithoutCancel(ctx)) // the store's failure; it runs out at the window's end
		return nil, store.Unavailable("throttle", err)
	}
	if err := a.count(ctx, "account", keys, l.Account, l.Window); err != nil {
		return nil, err
	}
	a.account = keys
	return a, nil
}

// accountKeys are those of the account's count: its own for a familiar address.
func (t Throttle) accountKeys(ctx context.Context, a *Attempt, scope []string, who, where string) ([]string, error) {
	familiar, err := t.counters.Marked(ctx, a.pairs...)
	if err != nil || !familiar {
		return t.keysOf("t:a", scope, "account", who), err
	}
	return t.keysOf("t:o", scope, "account", who, where), nil
}

func (t Throttle) keysOf(kind string, scope []string, parts ...string) []string {
	return t.keys(kind, append(slices.Clone(scope), parts...)...)
}

// count counts the attempt under keys, which are of an account or an address, or takes it
// back everywhere.
func (a *Attempt) count(ctx context.Context, of string, keys []string, limit int, window time.Duration) error {
	for _, key := range keys {
		retry, open, err := a.counters.Count(ctx, key, a.own.ID, limit, window)
		if err == nil && retry == 0 {
			a.own.Keys = append(a.own.Keys, key)
			continue
		}
		back := a.GiveBack(context.WithoutCancel(ctx))
		if err != nil {
			return store.Unavailable("throttle", err)
		}
		if back != nil {
			return back
		}
		return ThrottledError{RetryAfter: retry, full: key, of: of, open: open}
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
	a.decided = true
	defer a.turns.next(a.own.Keys)
	err := Uncount(ctx, a.counters, a.Counts()...)
	for _, key := range a.account {
		if e := a.counters.Forget(ctx, key); e != nil {
			err = store.Unavailable("throttle", e)
		}
	}
	for _, key := range a.pairs {
		if e := a.counters.Mark(ctx, key, familiarFor); e != nil {
			err = store.Unavailable("throttle", e)
		}
	}
	return err
}

// GiveBack takes the attempt out of both counts: the failure was ours or the
// API's. Earlier steps stay counted, until the sign-in succeeds.
func (a *Attempt) GiveBack(ctx context.Context) error {
	a.decided = true
	defer a.turns.next(a.own.Keys)
	return Uncount(ctx, a.counters, a.own)
}

// Stay says that the attempt stays counted: the person was wrong, or the API wants more
// of them. Nobody waits any longer for what becomes of it.
func (a *Attempt) Stay(ctx context.Context) error {
	a.decided = true
	defer a.turns.next(a.own.Keys)
	for _, key := range a.own.Keys {
		if err := a.counters.Decide(ctx, key, a.own.ID); err != nil {
			return store.Unavailable("throttle", err)
		}
	}
	return nil
}

// Abandon is [Attempt.Stay] where nobody has decided about the attempt, because a fault of
// the program came before: the API may have seen a guess.
func (a *Attempt) Abandon(ctx context.Context) error {
	if a.decided {
		return nil
	}
	return a.Stay(ctx)
}

// Uncount takes attempts back everywhere they were counted. Errors:
// [store.ErrUnavailable].
func Uncount(ctx context.Context, counters store.Counters, counts ...Counted) error {
	for _, c := range counts {
		for _, key := range c.Keys {
			if err := counters.Uncount(ctx, key, c.ID); err != nil {
				return store.Unavailable("throttle", err)
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
