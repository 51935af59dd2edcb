// Package serviceaccount keeps what Coatcheck itself is signed in with at APIs, for
// programs that call. Programs never see it.
//
// An account is signed in at first need, once in the whole fleet: its token is in the
// store, sealed as people's are, and is renewed by the same engine (package session),
// under its lease and its fence. An API that refuses the account is asked again later
// and later, by the fleet and not by each replica: when, is in the record as well.
package serviceaccount

import (
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"sync"
	"time"

	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
	"coatcheck/upstream/signin"
)

const (
	// kind is the second part of the keys in the store.
	kind = "sa"
	// life is how long a record lasts; then the account signs in anew.
	life = 30 * 24 * time.Hour
)

// Options are what a Keeper is made of.
type Options struct {
	// Store of all replicas. It stays open.
	Store store.Store
	// Session has keys, prefix, near cache and log; its times count for people only.
	Session session.Options
	// Log hears what operators need to know [nobody].
	Log *slog.Logger
	// Event counts what became of a sign-in or a renewal [nobody].
	Event func(outcome string)
}

// Keeper keeps the accounts of one process. Its methods may be called by any number of
// goroutines.
type Keeper struct {
	store store.Store
	log   *slog.Logger
	event func(string)

	mu      sync.Mutex
	options session.Options
	manager *session.Manager // nil until an account is needed
	closed  bool
	begin   sync.Mutex // records are begun one at a time

	known known
}

// NewKeeper makes a Keeper. Nothing is asked before an account is needed.
func NewKeeper(o Options) *Keeper {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Event == nil {
		o.Event = func(string) {}
	}
	return &Keeper{store: o.Store, log: o.Log, event: o.Event, options: ours(o.Session)}
}

// ours are options of the engine for accounts.
func ours(o session.Options) session.Options {
	o.Kind, o.IdleTimeout, o.MaxLifetime, o.MaxPerPerson, o.Orphaned = kind, life, life, 0, nil
	return o
}

// borrowed is a store that others close.
type borrowed struct{ store.Store }

func (borrowed) Close() error { return nil }

// engine is the manager of the records, which is made at first need: it listens to the
// other replicas.
func (k *Keeper) engine() (*session.Manager, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.manager != nil {
		return k.manager, nil
	}
	if k.closed || k.store == nil {
		return nil, store.ErrUnavailable
	}
	m, err := session.NewManager(borrowed{k.store}, k.options)
	if err == nil {
		k.manager = m
	}
	return m, err
}

// Prepare makes the Keeper ready for other keys; use, which cannot fail, takes them into
// use.
func (k *Keeper) Prepare(o session.Options) (use func(), err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	next, change := ours(o), func() {}
	prepared := k.manager
	if prepared != nil {
		if change, err = prepared.Prepare(next); err != nil {
			return nil, err
		}
	}
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.options = next
		switch {
		case k.manager == nil:
		case k.manager == prepared:
			change()
		default: // made meanwhile, with the old keys
			if err := k.manager.Reconfigure(next); err != nil {
				k.log.Error("accounts keep the old keys", "error", err)
			}
		}
	}, nil
}

// Close waits for renewals at work.
func (k *Keeper) Close() error {
	k.mu.Lock()
	m := k.manager
	k.closed, k.manager = true, nil
	k.mu.Unlock()
	if m == nil {
		return nil
	}
	return m.Close()
}

// ticketOf is what opens the record of an account. It follows from the server's keys and
// from how the account signs in: another password is another record, so that a changed
// configuration signs in at once, and no replica uses what another configuration got.
func ticketOf(m *session.Manager, a *signin.Account) session.Ticket {
	fingerprint := a.Fingerprint()
	name := m.Vault().Keys(kind, a.Name(), string(fingerprint[:]))[0]
	sum := sha256.Sum256([]byte("coatcheck/v1/account" + name))
	t, _ := ticket.Parse([]byte(base64.RawURLEncoding.EncodeToString(sum[:]))) // 32 bytes always are one
	return t
}

// known is what this process knows of the accounts that were needed: the last token of
// each, and whether it was there. It serves where the store is away: no one can revoke an
// account there.
type known struct {
	mu   sync.Mutex
	last map[string]*Token
	up   map[string]bool
}

func (n *known) note(a *signin.Account, t *Token) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.up == nil {
		n.last, n.up = map[string]*Token{}, map[string]bool{}
	}
	n.up[a.Name()] = t != nil
	n.last[a.Name()] = t
}

// token is the last one of the account as it signs in now; nil: there is none.
func (n *known) token(a *signin.Account) *Token {
	n.mu.Lock()
	defer n.mu.Unlock()
	if t := n.last[a.Name()]; t != nil && t.of == a.Fingerprint() {
		return t
	}
	return nil
}

// Up tells of each account that was needed whether this process has a token for it. The
// names are those of upstream and account, with a slash between.
func (k *Keeper) Up() map[string]bool {
	k.known.mu.Lock()
	defer k.known.mu.Unlock()
	up := make(map[string]bool, len(k.known.up))
	for name, is := range k.known.up {
		up[name] = is
	}
	return up
}

// Keep forgets the accounts that are not there any more.
func (k *Keeper) Keep(isThere func(name string) bool) {
	k.known.mu.Lock()
	defer k.known.mu.Unlock()
	for name := range k.known.up {
		if !isThere(name) {
			delete(k.known.up, name)
			delete(k.known.last, name)
		}
	}
}
