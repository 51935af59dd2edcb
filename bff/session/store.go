package session

import (
	"context"
	"time"
)

// Store is where the bytes lie. It knows nothing of people, tokens or seals: of
// a record it reads the stamp (the first 13 bytes) and the generation, so that
// each write is one atomic step. All of its keys have a time to live.
//
// A record's key comes whole from the [Manager]; its tombstone and its lease lie
// beside it. Methods return an error when the store could not be asked, or could not
// keep what it was given: Create, AddEntry, Count and Mark also return [ErrFull]. No
// error names a key's content.
type Store interface {
	// Clock returns the store's time, and so shows that it can be reached.
	Clock(ctx context.Context) (time.Time, error)

	// Load returns the record under key, stamp first; nil where there is none.
	Load(ctx context.Context, key string) ([]byte, error)

	// Tombstone returns why the record under key was removed; empty if unknown.
	Tombstone(ctx context.Context, key string) (Reason, error)

	// Create stores a new record, stamp included, for ttl.
	Create(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Touch extends the idle time of a record that still exists, and then looks for
	// its entry in the person's index.
	Touch(ctx context.Context, key string, t Touch) (Touched, error)

	// Replace puts a new sealed part behind the stamp of a record that still
	// exists at the generation s.At, and keeps its time to live.
	Replace(ctx context.Context, key string, s Swap) (Outcome, error)

	// Remove deletes a record and lays a tombstone. It returns what it removed.
	Remove(ctx context.Context, key string, r Removal) ([]byte, Outcome, error)

	// Lease takes the lease beside key for owner, or renews it for who has it,
	// and returns the record as it is then (nil: none).
	Lease(ctx context.Context, key, owner string, ttl time.Duration) (held bool, value []byte, err error)

	// Unlease gives the lease back, if owner still has it, and sends note.
	Unlease(ctx context.Context, key, owner string, note Note) error

	// Seen returns the last extension of each record; the zero time where there
	// is no record.
	Seen(ctx context.Context, keys []string) ([]time.Time, error)

	// AddEntry puts an entry into a person's index and returns how many entries
	// there are. The entry lives for ttl at least.
	AddEntry(ctx context.Context, person, id string, entry []byte, ttl time.Duration) (int, error)

	// Entries returns a person's index by id.
	Entries(ctx context.Context, person string) (map[string][]byte, error)

	// DropEntries removes entries from a person's index.
	DropEntries(ctx context.Context, person string, ids ...string) error

	// Count adds the attempt id to key unless limit attempts happened within the
	// window; then it returns how long until the oldest of them leaves it.
	Count(ctx context.Context, key, id string, limit int, window time.Duration) (retry time.Duration, err error)

	// Uncount takes the attempt id back.
	Uncount(ctx context.Context, key, id string) error

	// Mark remembers key for ttl; Marked reports whether any of keys is
	// remembered, asking one after the other; Forget deletes a mark or a count.
	Mark(ctx context.Context, key string, ttl time.Duration) error
	Marked(ctx context.Context, keys ...string) (bool, error)
	Forget(ctx context.Context, key string) error

	// Listen hands over what is sent to channel until ctx is done.
	Listen(ctx context.Context, channel string, l Listener)

	// Stats returns what the store has counted.
	Stats() StoreStats

	// Close gives everything back. Nothing may be called after it.
	Close() error
}

// Touch says how to extend a record: to idle from now, but never beyond ends.
type Touch struct {
	Idle time.Duration
	Ends time.Time

	// People and ID name the entry whose presence Touched.Indexed tells.
	People []string
	ID     string
}

// Touched is what Touch found: Seen is the store's time, zero if the record is
// gone.
type Touched struct {
	Seen    time.Time
	Indexed bool
}

// Swap is a new sealed part for a record at generation At. Owner's lease, if
// there is one, ends with it; Note is sent with it.
type Swap struct {
	At     uint64
	Sealed []byte
	Owner  string
	Note   Note
}

// Removal says how to remove a record. At 0 means at any generation.
type Removal struct {
	At     uint64
	Reason Reason
	Note   Note
}

// Outcome is what a conditional write found.
type Outcome int

// The outcomes.
const (
	Done            Outcome = iota // written
	Gone                           // there is no record
	OtherGeneration                // the record has moved on
)

// Note is a message to all replicas. It never carries a token.
type Note struct{ Channel, Payload string }

// Listener is who hears messages. Its functions must not block.
type Listener struct {
	// Message is called for each message, this replica's own included.
	Message func(payload string)

	// Gap is called at every (re)subscription: messages may have been lost.
	Gap func()

	// Reconnected is called after connections were made anew: the server may be
	// another one now, with older data.
	Reconnected func()
}

// StoreStats counts since the start of the process.
type StoreStats struct {
	// Unacknowledged writes were made, but no Redis replica confirmed them.
	Unacknowledged uint64

	// Resubscribed counts subscriptions after the first.
	Resubscribed uint64
}

// How long things lie beside a record.
const (
	tombstoneTTL    = 10 * time.Minute
	tombstoneSuffix = ":x"
	leaseSuffix     = ":l"
)
