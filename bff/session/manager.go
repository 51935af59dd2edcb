package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bff/credential"
)

// Options say how sessions live. What is zero has the default in brackets.
type Options struct {
	// Keys of at least 32 bytes each: the first seals, all of them open.
	Keys []credential.Secret

	// Prefix is the first part of every key in the store [coatcheck].
	Prefix string

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

// Manager holds the rules of sessions. Its methods may be called by any number
// of goroutines; those that ask the store say [ErrUnavailable] while it is away.
type Manager struct {
	store    Store
	prefix   string
	channel  string
	replica  string // tells own messages from others'
	log      *slog.Logger
	orphaned func(context.Context, *Session, *credential.Credential)
	settings atomic.Pointer[settings]

	clock    storeClock
	near     near
	endings  endings
	notices  notices
	watches  watches
	flights  flights
	touching busy
	loads    loads
	warnings warnings
	counts   counts
	estimates

	closing   context.Context // done when Close begins
	stop      context.CancelFunc
	done      sync.WaitGroup
	reconnect chan struct{} // holds one wish to end again what has ended
}

// settings are what [Manager.Reconfigure] can change, swapped as a whole.
type settings struct {
	ring, sorted keyring
	idle, life   time.Duration
	near         time.Duration
	touch        time.Duration // an extension is written when the last is so old
	perPerson    int
}

// How often an idle time is extended in the store: once in touchAtMost, or in a
// tenth of the idle time if that is shorter.
const touchAtMost = time.Minute

// NewManager makes a Manager over store, which it closes at its end. It asks
// nothing of the store, which may be away.
func NewManager(store Store, o Options) (*Manager, error) {
	if store == nil {
		return nil, errors.New("session: no store")
	}
	set, err := newSettings(o)
	if err != nil {
		return nil, err
	}
	m := &Manager{store: store, prefix: o.Prefix, replica: rand.Text()[:8], log: o.Log, orphaned: o.Orphaned}
	if m.prefix == "" {
		m.prefix = "coatcheck"
	}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.channel = m.prefix + ":ev"
	m.settings.Store(set)
	m.clock.localClock = newLocalClock(o.Now)
	m.init()
	return m, nil
}

// init makes the empty parts and starts the two goroutines of the Manager; both
// end with Close.
func (m *Manager) init() {
	m.near.init(nearMaxBytes)
	m.endings.init()
	m.notices.init()
	m.watches.init()
	m.flights.init()
	m.touching.init()
	m.loads.init()
	m.warnings.init()
	m.reconnect = make(chan struct{}, 1)
	m.closing, m.stop = context.WithCancel(context.Background())
	m.done.Go(m.listen)
	m.done.Go(m.keepHouse)
}

func newSettings(o Options) (*settings, error) {
	ring, err := newKeyring(o.Keys)
	if err != nil {
		return nil, err
	}
	s := &settings{ring: ring, sorted: ring.sorted(), idle: o.IdleTimeout, life: o.MaxLifetime, near: o.NearCache, perPerson: o.MaxPerPerson}
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
		m.near.flush()
	}, nil
}

// Close waits for refreshes at work, ends the goroutines of the Manager and
// closes its store. Call it once, when no call is at work any more.
func (m *Manager) Close() error {
	m.stop()
	m.flights.wait()
	m.done.Wait()
	m.tellWithheld(m.clock.elapsed() + warnEvery) // whatever is left
	if err := m.store.Close(); err != nil {
		return fmt.Errorf("session: close: %w", err)
	}
	return nil
}

// Ping reports whether the store can be reached; else the error is
// [ErrUnavailable].
func (m *Manager) Ping(ctx context.Context) error { return m.askClock(ctx) }

// Now is the store's time: the local clock and the measured distance to it.
func (m *Manager) Now() time.Time { return m.clock.at(m.clock.elapsed()) }

// askClock measures the distance between the store's clock and ours.
func (m *Manager) askClock(ctx context.Context) error {
	before := m.clock.elapsed()
	told, err := m.store.Clock(ctx)
	if err != nil {
		return unavailable("clock", err)
	}
	m.clock.measure(before, m.clock.elapsed(), told)
	return nil
}

// needClock makes sure that the distance was measured once.
func (m *Manager) needClock(ctx context.Context) error {
	if m.clock.known() {
		return nil
	}
	return m.askClock(ctx)
}

// key is where a session's record lies. The braces keep record, tombstone and
// lease in one slot of a Redis Cluster.
func (m *Manager) key(h hash) string { return m.prefix + ":s:{" + h.hex() + "}" }
