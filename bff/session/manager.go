package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/keyring"
	"coatcheck/bff/session/local"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/warnings"
)

// Options say how sessions live. What is zero has the default in brackets.
type Options struct {
	// Keys of at least [keyring.MinKeyLen] bytes each: the first seals, all of them open.
	Keys []credential.Secret

	// Prefix is the first part of every key in the store [coatcheck].
	Prefix string

	// Kind is the second part of the keys of records, and keeps the events of Managers
	// over one store apart [s, people's sessions].
	Kind string

	// IdleTimeout ends a session that makes no call for so long [30m].
	IdleTimeout time.Duration

	// MaxLifetime ends a session whatever it does [12h].
	MaxLifetime time.Duration

	// NearCache is how old this replica's own knowledge may be. 0 asks the store
	// on every call.
	NearCache time.Duration

	// MaxPerPerson is how many sessions a person may have at one frontend; the
	// oldest ends. 0 means no limit.
	MaxPerPerson int

	// Log hears what operators need to know [nobody]. No line contains a token,
	// a ticket or a person's name.
	Log *slog.Logger

	// Orphaned is given a credential that arrived for a session that had ended
	// meanwhile, so that it can be handed to the API's sign-out [dropped].
	Orphaned func(ctx context.Context, s *Session, c *credential.Credential)

	// Now is the local clock [time.Now].
	Now func() time.Time
}

// Manager holds the rules of sessions. Its methods may be called by any number of
// goroutines; those that ask the store return [store.ErrUnavailable] while it is away.
type Manager struct {
	*finder
	flights   flights
	estimates local.Estimate
	orphaned  func(context.Context, *Session, *credential.Credential)

	closing context.Context // done when Close begins
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// settings are what [Manager.Reconfigure] can change, swapped as a whole.
type settings struct {
	ring       keyring.Ring
	idle, life time.Duration
	near       time.Duration
	touch      time.Duration // an extension is written when the last is so old
	perPerson  int
}

// How often an idle time is extended in the store: once in touchAtMost, or in a
// tenth of the idle time if that is shorter.
const touchAtMost = time.Minute

// NewManager makes a Manager over st, which it closes at its end. It asks nothing of the
// store, which may be away. An error is a mistake in the options.
func NewManager(st store.Store, o Options) (*Manager, error) {
	if st == nil {
		return nil, errors.New("session: no store")
	}
	set, err := newSettings(o)
	if err != nil {
		return nil, err
	}
	k := &knowledge{core: newCore(st, set, o), replica: rand.Text()[:8]}
	k.channel = k.prefix + ":ev"
	k.init()
	m := &Manager{finder: &finder{people: &people{k}}, orphaned: o.Orphaned}
	m.start()
	return m, nil
}

// start makes the empty parts and starts the two goroutines of the Manager; both
// end with Close.
func (m *Manager) start() {
	m.loads.init()
	m.touching.Init()
	m.flights.init()
	m.closing, m.stop = context.WithCancel(context.Background())
	work := &maintenance{finder: m.finder, flights: &m.flights, closing: m.closing}
	m.done.Go(work.listen)
	m.done.Go(work.maintain)
}

func newSettings(o Options) (*settings, error) {
	ring, err := keyring.New(o.Keys)
	if err != nil {
		return nil, err
	}
	s := &settings{ring: ring, idle: o.IdleTimeout, life: o.MaxLifetime, near: o.NearCache, perPerson: o.MaxPerPerson}
	if s.idle == 0 {
		s.idle = 30 * time.Minute
	}
	if s.life == 0 {
		s.life = 12 * time.Hour
	}
	if s.idle < 0 || s.life < 0 || s.near < 0 || s.perPerson < 0 {
		return nil, errors.New("session: a negative option")
	}
	s.touch = min(touchAtMost, s.idle/10)
	return s, nil
}

// Reconfigure changes keys, times and limits while sessions go on. Prefix, Log,
// Orphaned and Now stay as they were. After an error nothing has changed.
func (m *Manager) Reconfigure(o Options) error {
	use, err := m.Prepare(o)
	if err != nil {
		return err
	}
	use()
	return nil
}

// Prepare is [Manager.Reconfigure] in two steps: use, which cannot fail, makes the
// change. A change that spans several rooms makes all of them ready first.
func (m *Manager) Prepare(o Options) (use func(), err error) {
	set, err := newSettings(o)
	if err != nil {
		return nil, err
	}
	return func() {
		m.settings.Store(set)
		m.near.Flush()
	}, nil
}

// Close waits for refreshes at work, ends the goroutines of the Manager and
// closes its store. Call it once, when no call is at work any more.
func (m *Manager) Close() error {
	m.stop()
	m.flights.wait()
	m.done.Wait()
	m.warnings.Withheld(m.clock.Elapsed() + warnings.Every) // whatever is left
	if err := m.store.Close(); err != nil {
		return fmt.Errorf("session: close: %w", err)
	}
	return nil
}

// Ping reports whether the store can be reached; else the error is
// [store.ErrUnavailable].
func (m *Manager) Ping(ctx context.Context) error { return m.askClock(ctx) }

// Now is the store's time: the local clock and the measured distance to it.
func (m *Manager) Now() time.Time { return m.now() }

// Vault keeps other things than sessions under tickets, with the same keys, clock and
// log. It must not be used after Close.
func (m *Manager) Vault() Vault { return Vault{m.core} }
