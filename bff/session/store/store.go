package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Sentinel errors.
var (
	// ErrUnavailable means that the store cannot be asked now, is full, or holds a
	// record that another replica can read and this one cannot. Nothing is lost: the
	// same ticket works later, or at another replica. Those who use a store wrap its
	// errors in this one.
	ErrUnavailable = errors.New("session: store unavailable")

	// ErrFull means that a store in this process has reached its bound. What is new is
	// refused, a sign-in first of all; nobody's session is thrown out for it.
	ErrFull = errors.New("session: store in memory is full")
)

// Store is all four contracts over the same bytes.
type Store interface {
	Records
	Index
	Counters
	Events

	// Clock returns the store's time, and so shows that it can be reached.
	Clock(ctx context.Context) (time.Time, error)

	// Stats returns what the store has counted.
	Stats() Stats

	// Close gives everything back. Nothing may be called after it.
	Close() error
}

// Records are values under keys that change in atomic steps: after Create, each write is
// "if it still exists", so that none brings back what was removed.
type Records interface {
	// Load returns the record under key, stamp first; nil where there is none.
	Load(ctx context.Context, key string) ([]byte, error)

	// Tombstone returns why the record under key was removed; empty if unknown, or
	// longer ago than [TombstoneTTL].
	Tombstone(ctx context.Context, key string) (reason string, err error)

	// Create stores a new record, stamp included, for ttl. One that is there already
	// stays as it is, which is no error. It may return [ErrFull].
	Create(ctx context.Context, key string, value []byte, ttl time.Duration) error

	// Touch extends the idle time of a record that still exists, and then looks for
	// its entry in the index.
	Touch(ctx context.Context, key string, t Touch) (Touched, error)

	// Replace puts a new sealed part behind the stamp of a record that still
	// exists at the generation s.At, and keeps its time to live.
	Replace(ctx context.Context, key string, s Swap) (Outcome, error)

	// Remove deletes a record and lays a tombstone. It returns what it removed.
	Remove(ctx context.Context, key string, r Removal) ([]byte, Outcome, error)

	// Lease takes the lease beside key for owner, or renews it for its holder, and
	// returns the record as it is then (nil: none). A store at its bound grants it too.
	Lease(ctx context.Context, key, owner string, ttl time.Duration) (held bool, value []byte, err error)

	// Unlease gives the lease back, if owner still has it, and sends note.
	Unlease(ctx context.Context, key, owner string, note Note) error

	// Seen returns the last extension of each record; the zero time where there
	// is no record.
	Seen(ctx context.Context, keys []string) ([]time.Time, error)

	// Estimate is about how many keys are those of records, as isRecord tells them.
	// Stores in this process count; of a Redis, keys are drawn at random.
	Estimate(ctx context.Context, isRecord func(key string) bool) (int, error)
}

// Index is tables of entries by id, such as the sessions of one person. A table lives as
// long as its longest entry.
type Index interface {
	// AddEntry puts an entry into a table and returns how many entries there are. The
	// entry lives for ttl at least. It may return [ErrFull].
	AddEntry(ctx context.Context, table, id string, entry []byte, ttl time.Duration) (int, error)

	// Entries returns a table by id; empty where there is none.
	Entries(ctx context.Context, table string) (map[string][]byte, error)

	// DropEntries removes entries from a table.
	DropEntries(ctx context.Context, table string, ids ...string) error
}

// OpenFor is how long an event that was neither decided nor taken back is waited for. It
// is longer than any sign-in takes, so that only an end of the process leaves one so long.
const OpenFor = time.Minute

// Counters count events in a sliding window and remember marks.
type Counters interface {
	// Count adds the event id to key unless limit events happened within the window;
	// then it returns how long until the oldest of them leaves it, and whether one of
	// them may still be taken back: it is younger than [OpenFor] and was not decided. An
	// id that is counted already is not counted again. It may return [ErrFull].
	Count(ctx context.Context, key, id string, limit int, window time.Duration) (retry time.Duration, open bool, err error)

	// Decide says that the event id, if it is counted, stays counted.
	Decide(ctx context.Context, key, id string) error

	// Uncount takes the event id back.
	Uncount(ctx context.Context, key, id string) error

	// Mark remembers key for ttl. It may return [ErrFull].
	Mark(ctx context.Context, key string, ttl time.Duration) error

	// Marked reports whether any of keys is remembered; it asks for one after the
	// other, because they are in different slots.
	Marked(ctx context.Context, keys ...string) (bool, error)

	// Forget deletes a mark or a count.
	Forget(ctx context.Context, key string) error
}

// Events are messages to all replicas. Nothing may depend on their arrival.
type Events interface {
	// Listen hands over what is sent to channel until ctx is done. Messages are sent
	// by the steps that carry a [Note].
	Listen(ctx context.Context, channel string, l Listener)
}

// Touch says how to extend a record: to Idle from now, but never beyond Ends.
type Touch struct {
	Idle time.Duration // from now on, by the store's clock
	Ends time.Time     // the record's own end

	// Tables and ID name the entry whose presence Touched.Indexed tells: it is in one
	// of the tables.
	Tables []string
	ID     string
}

// Touched is what Touch found: Seen is the store's time, zero if the record is
// gone.
type Touched struct {
	Seen    time.Time // zero: the record is gone
	Indexed bool      // the entry is in one of Touch.Tables
}

// Swap is a new sealed part for a record at generation At. Owner's lease, if
// there is one, ends with it; Note is sent with it.
type Swap struct {
	At     uint64 // the generation that is replaced
	Sealed []byte // the new part
	Owner  string // of the lease; empty: there is none
	Note   Note   // to the other replicas
}

// Removal says how to remove a record: at generation At, 0 for any, with Reason on its
// tombstone and Note sent in the same step.
type Removal struct {
	At     uint64 // the generation; 0: any
	Reason string // for the tombstone
	Note   Note   // to the other replicas
}

// Outcome is what a conditional write found.
type Outcome int

// The outcomes.
const (
	Done            Outcome = iota // written
	Gone                           // there is no record
	OtherGeneration                // the record has moved on
)

// Note is a message to all replicas. It never carries a token. Without a Channel nothing
// is sent.
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

// Stats counts since the start of the process.
type Stats struct {
	// Unacknowledged writes were made, but no Redis replica confirmed them.
	Unacknowledged uint64

	// Resubscribed counts subscriptions after the first.
	Resubscribed uint64
}

// What is beside a record: TombstoneSuffix and LeaseSuffix follow its key.
const (
	TombstoneTTL    = 10 * time.Minute
	TombstoneSuffix = ":x"
	LeaseSuffix     = ":l"
)

// Unavailable wraps the failure of a store in [ErrUnavailable], named after what was
// tried.
func Unavailable(what string, err error) error {
	return fmt.Errorf("session: %s: %w: %w", what, ErrUnavailable, err)
}
