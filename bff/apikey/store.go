package apikey

import (
	"context"
	"errors"
	"time"
)

// Errors of a [Store] and of a [Table].
var (
	// ErrFull means that there are [MaxKeys] keys already.
	ErrFull = errors.New("apikey: there are too many keys")
	// ErrTooMany means that a leak report has more than [MaxLeaked] strings: none was looked at.
	ErrTooMany = errors.New("apikey: too many strings in a leak report")
	// ErrUnknown means that there is no such key.
	ErrUnknown = errors.New("apikey: no such key")
	// ErrExpired means that the key's life is over.
	ErrExpired = errors.New("apikey: the key has expired")
	// ErrUnavailable means that the store did not answer, so that nobody knows
	// whether a key that was made at run time still lives.
	ErrUnavailable = errors.New("apikey: the store is not available")
)

// Record is a key that was made at run time. It holds no key, only its hash.
type Record struct {
	// ID is the public id that the key bears.
	ID string `json:"id"`
	// Caller is the name that the configuration gives the program, Label what the operator
	// wrote beside the key.
	Caller string `json:"caller"`
	Label  string `json:"label,omitempty"`
	// Hash is of the whole key.
	Hash Hash `json:"hash"`
	// CreatedAt is when the key was made; ExpiresAt is zero where it has no end.
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// LastUsed is the last use that a replica has reported; zero: none.
	LastUsed time.Time `json:"last_used,omitzero"`
	// Life is what the key was made for; 0 = no end. A successor lives as long.
	Life time.Duration `json:"life,omitempty"`
	// RotatedTo is the id of the key that takes its place, where it was rotated.
	RotatedTo string `json:"rotated_to,omitempty"`
}

// rotated is the record with an end, unless it ends sooner, and a successor.
func (r Record) rotated(end time.Time, successor string) Record {
	if r.ExpiresAt.IsZero() || end.Before(r.ExpiresAt) {
		r.ExpiresAt = end
	}
	r.RotatedTo = successor
	return r
}

// Store keeps the records for all replicas. Each method is one atomic step. Every
// change but Use raises the version.
type Store interface {
	// Version is the number of the last change; 0 where there was none.
	Version(ctx context.Context) (uint64, error)
	// All returns every record, with the version they belong to.
	All(ctx context.Context) (version uint64, records []Record, err error)
	// Add keeps a new record; [ErrFull] where most are kept already.
	Add(ctx context.Context, r Record, most int) error
	// Rotate gives the record called id an end, unless it ends sooner, and adds its
	// successor, in one step. [ErrUnknown] where there is none, [ErrFull] as Add.
	Rotate(ctx context.Context, id string, end time.Time, successor Record, most int) error
	// Remove forgets records, and returns how many there were.
	Remove(ctx context.Context, ids ...string) (int, error)
	// Prune forgets those of the records with these ends, by id, whose end is longer ago than
	// kept by the store's own clock, and returns how many there were. An end never moves to a
	// later time, so one that was read earlier will do.
	Prune(ctx context.Context, ends map[string]time.Time, kept time.Duration) (int, error)
	// Use notes when keys were used last. It brings no record back.
	Use(ctx context.Context, at map[string]time.Time) error
}
