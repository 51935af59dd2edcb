package apikey

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bff/credential"
)

const (
	// useEvery is how often the last use of a key is written.
	useEvery = time.Minute
	// nearEnd is how long before a key's end there is an event.
	nearEnd = 7 * 24 * time.Hour
	// storeTimeout bounds one question to the store.
	storeTimeout = 2 * time.Second
)

// Entry is a key that is known.
type Entry struct {
	ID string // of the first 10 digits of the hash, for keys of the configuration
	// Public is the id that the key itself bears, by which people know it; the ID where it
	// bears none: the configuration may have the hash of any text.
	Public    string
	Caller    string    // whose key it is, by its name in the configuration
	ExpiresAt time.Time // zero: no end
	InFile    bool      // it is one of the configuration's
}

// Events are what a table tells. Each may be nil. They are called by [Table.Run]
// or by who changes the table, one at a time, and must not block.
type Events struct {
	// Ended: the key was revoked, has expired, or has lost its caller; its streams are to end.
	Ended func(Entry)
	// NearEnd: less than 7 days are left; once a day for each key.
	NearEnd func(Entry, time.Duration)
	// Failed: the store did not answer.
	Failed func(error)
}

// Table holds every key. Its methods are safe for concurrent use.
type Table struct {
	store  Store
	age    time.Duration
	events Events
	now    func() time.Time
	began  time.Time // of the table; what ended earlier was told by others

	snapshot atomic.Pointer[snapshot]
	file     atomic.Pointer[map[Hash]Entry]
	callers  atomic.Pointer[func(string) bool] // who has keys; nil: whoever a record names
	turn     chan struct{}                     // one question to the store at a time; those who wait can leave
	missed   time.Time                         // when the last question that failed was asked; written by whose turn it is
	used     usage
	warned   sync.Map // id → time.Time of the last NearEnd
}

// snapshot is the table as the store had it.
type snapshot struct {
	version uint64
	asked   time.Time // when the store was asked, not when it answered
	byHash  map[Hash]Record
	byID    map[string]Record
}

// usage is what was used and not yet written.
type usage struct {
	mu      sync.Mutex
	pending map[string]time.Time
	written map[string]time.Time
}

// NewTable returns a table without keys. age is how old its knowledge of a key made
// at run time may be (sessions.near_cache); at 0 the store is asked on every call
// with such a key. store may be nil: then there are keys of the configuration only.
func NewTable(store Store, age time.Duration, events Events) *Table {
	t := &Table{store: store, age: age, events: events, now: time.Now, turn: make(chan struct{}, 1)}
	t.began = t.now()
	t.snapshot.Store(&snapshot{})
	t.file.Store(&map[Hash]Entry{})
	return t
}

// SetFile replaces the keys of the configuration: hashes by caller. A key that is another
// caller's now has ended as this one's.
func (t *Table) SetFile(keys map[Hash]string) {
	file := make(map[Hash]Entry, len(keys))
	for hash, caller := range keys {
		file[hash] = Entry{ID: shortID(hash), Public: shortID(hash), Caller: caller, InFile: true}
	}
	old := *t.file.Swap(&file)
	for hash, e := range old {
		if file[hash].Caller != e.Caller && t.events.Ended != nil {
			t.events.Ended(e)
		}
	}
}

// SetCallers says which callers of the configuration have keys. A key made at run time
// ends with its caller, and lives again if that comes back.
func (t *Table) SetCallers(have func(caller string) bool) {
	had := t.callers.Swap(&have)
	for _, r := range t.snapshot.Load().byID {
		if t.inTime(r) && (had == nil || (*had)(r.Caller)) && !have(r.Caller) && t.events.Ended != nil {
			t.events.Ended(r.entry())
		}
	}
}

// isLost reports whether the key's caller has no keys: it has ended, which was told.
func (t *Table) isLost(r Record) bool {
	have := t.callers.Load()
	return have != nil && !(*have)(r.Caller)
}

func (t *Table) inTime(r Record) bool { return r.ExpiresAt.IsZero() || t.now().Before(r.ExpiresAt) }

// shortID names a key of the configuration in logs, where nobody knows its id.
func shortID(h Hash) string {
	const digits = "0123456789abcdef"
	id := make([]byte, 0, idLength)
	for _, b := range h[:idLength/2] {
		id = append(id, digits[b>>4], digits[b&15])
	}
	return string(id)
}

// Find returns the key that was presented: [ErrUnknown], [ErrExpired], or, for a
// key made at run time whose record is older than the age and cannot be confirmed,
// [ErrUnavailable]. Keys of the configuration need no store.
func (t *Table) Find(ctx context.Context, presented credential.Secret) (Entry, error) {
	hash := hashOf(presented)
	if e, ok := (*t.file.Load())[hash]; ok {
		return e.named(presented.Reveal()), nil
	}
	if _, ok := t.snapshot.Load().byHash[hash]; !ok {
		return Entry{}, ErrUnknown
	}
	if err := t.fresh(ctx); err != nil {
		return Entry{}, err
	}
	r, ok := t.snapshot.Load().byHash[hash]
	if !ok {
		return Entry{}, ErrUnknown
	}
	if !t.inTime(r) {
		return Entry{}, ErrExpired
	}
	t.used.note(r.ID, t.now())
	return r.entry(), nil
}

func (r Record) entry() Entry {
	return Entry{ID: r.ID, Public: r.ID, Caller: r.Caller, ExpiresAt: r.ExpiresAt}
}

// named is the entry with the id that the text of its key bears.
func (e Entry) named(key string) Entry {
	if id, ok := ID(key); ok {
		e.Public = id
	}
	return e
}

// fresh asks the store where the last answer is older than the age.
func (t *Table) fresh(ctx context.Context) error {
	if t.now().Sub(t.snapshot.Load().asked) < t.age {
		return nil
	}
	return t.Sync(ctx)
}

// Sync compares the version with the store's, and reads the table where they differ.
func (t *Table) Sync(ctx context.Context) error {
	if t.store == nil {
		return nil
	}
	began := t.now()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return ErrUnavailable
	}
	// What somebody else asked meanwhile answers for all who waited: where the store hangs,
	// a queue of calls would else wait for it one by one.
	switch {
	case t.snapshot.Load().asked.After(began):
		return nil
	case t.missed.After(began):
		return ErrUnavailable
	}
	asked := t.now()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := t.read(ctx); err != nil {
		t.missed = asked
		if t.events.Failed != nil {
			t.events.Failed(err)
		}
		return ErrUnavailable
	}
	return nil
}

// read replaces the snapshot. It is the caller's turn.
func (t *Table) read(ctx context.Context) error {
	old, asked := t.snapshot.Load(), t.now()
	version, err := t.store.Version(ctx)
	if err != nil {
		return err
	}
	if version == old.version && old.byHash != nil {
		next := *old
		next.asked = asked
		t.snapshot.Store(&next)
		return nil
	}
	version, records, err := t.store.All(ctx)
	if err != nil {
		return err
	}
	next := &snapshot{version, asked, make(map[Hash]Record, len(records)), make(map[string]Record, len(records))}
	for _, r := range records {
		next.byHash[r.Hash], next.byID[r.ID] = r, r
	}
	t.snapshot.Store(next)
	for id, r := range old.byID {
		if _, still := next.byID[id]; !still {
			t.ended(r)
		}
	}
	return nil
}

// ended tells of a key whose record is gone, unless its end was told when its time was over,
// or when it lost its caller.
func (t *Table) ended(r Record) {
	last, told := t.warned.LoadAndDelete(r.ID)
	if told && last == expired || t.isLost(r) {
		return
	}
	if t.events.Ended != nil {
		t.events.Ended(r.entry())
	}
}

// Entries returns the keys made at run time as this process knows them, and those
// of the configuration, for the metrics coatcheck_keys and coatcheck_key_expires_seconds.
func (t *Table) Entries() []Entry {
	var list []Entry
	for _, e := range *t.file.Load() {
		list = append(list, e)
	}
	for _, r := range t.snapshot.Load().byID {
		list = append(list, r.entry())
	}
	return list
}

// note remembers a use that is due to be written.
func (u *usage) note(id string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if at.Sub(u.written[id]) < useEvery {
		return
	}
	if u.pending == nil {
		u.pending, u.written = map[string]time.Time{}, map[string]time.Time{}
	}
	u.pending[id] = at
}

// take returns what is to be written. It forgets keys that are gone.
func (u *usage) take(known map[string]Record) map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	pending := u.pending
	for id, at := range pending {
		u.written[id] = at
	}
	maps.DeleteFunc(u.written, func(id string, _ time.Time) bool { _, ok := known[id]; return !ok })
	if pending != nil {
		u.pending = map[string]time.Time{}
	}
	return pending
}

// Lives reports whether a key with this id is known as this caller's and has not expired,
// as far as this process knows.
func (t *Table) Lives(id, caller string) bool {
	if r, ok := t.snapshot.Load().byID[id]; ok {
		return r.Caller == caller && t.inTime(r) && !t.isLost(r)
	}
	for _, e := range *t.file.Load() {
		if e.ID == id {
			return e.Caller == caller
		}
	}
	return false
}
