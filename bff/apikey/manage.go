package apikey

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"
)

// MaxLeaked is how many strings a leak report may have.
const MaxLeaked = 1000

// Issue makes a key for a caller. life 0 is no end. The key is in the answer and
// nowhere else. Errors: [ErrFull], [ErrUnavailable].
func (t *Table) Issue(ctx context.Context, caller, label string, life time.Duration) (Key, Record, error) {
	k := New()
	r := t.record(k, caller, label, life)
	if t.store == nil {
		return Key{}, Record{}, ErrUnavailable
	}
	if err := t.store.Add(ctx, r, MaxKeys); err != nil {
		return Key{}, Record{}, storeError(err)
	}
	return k, r, t.Sync(ctx)
}

func (t *Table) record(k Key, caller, label string, life time.Duration) Record {
	r := Record{ID: k.ID, Caller: caller, Label: label, Hash: k.Hash, Life: life, CreatedAt: t.now().UTC()}
	if life > 0 {
		r.ExpiresAt = r.CreatedAt.Add(life)
	}
	return r
}

// storeError keeps our own errors and makes ErrUnavailable of the others.
func storeError(err error) error {
	if errors.Is(err, ErrFull) || errors.Is(err, ErrUnknown) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// List returns the records of a caller, of all where it is empty, oldest first. The
// hashes are left out.
func (t *Table) List(ctx context.Context, caller string) ([]Record, error) {
	if t.store == nil {
		return nil, nil
	}
	_, records, err := t.store.All(ctx)
	if err != nil {
		return nil, storeError(err)
	}
	records = slices.DeleteFunc(records, func(r Record) bool { return caller != "" && r.Caller != caller })
	for i := range records {
		records[i].Hash = Hash{}
	}
	slices.SortFunc(records, func(a, b Record) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return records, nil
}

// Caller is whose key it is that was made with this id. Errors: [ErrUnknown],
// [ErrUnavailable].
func (t *Table) Caller(ctx context.Context, id string) (string, error) {
	r, err := t.lookup(ctx, id)
	return r.Caller, err
}

// lookup returns a record as the store has it now.
func (t *Table) lookup(ctx context.Context, id string) (Record, error) {
	if t.store == nil {
		return Record{}, ErrUnknown
	}
	if err := t.Sync(ctx); err != nil {
		return Record{}, err
	}
	r, ok := t.snapshot.Load().byID[id]
	if !ok {
		return Record{}, ErrUnknown
	}
	return r, nil
}

// Rotate makes a key in the place of another, which lives on for the overlap, or
// until its own end if that is sooner. The new key lives as long as the old one was
// made for, at most longest; 0 is no bound. Errors: [ErrUnknown], [ErrFull],
// [ErrUnavailable].
func (t *Table) Rotate(ctx context.Context, id string, overlap, longest time.Duration) (Key, Record, error) {
	old, err := t.lookup(ctx, id)
	if err != nil {
		return Key{}, Record{}, err
	}
	life := old.Life
	if longest > 0 && (life == 0 || life > longest) { // the configuration may have changed since
		life = longest
	}
	k := New()
	r := t.record(k, old.Caller, old.Label, life)
	if err := t.store.Rotate(ctx, id, t.now().UTC().Add(overlap), r, MaxKeys); err != nil {
		return Key{}, Record{}, storeError(err)
	}
	return k, r, t.Sync(ctx)
}

// Revoke ends a key everywhere: here at once, on other replicas within the age or a
// second. [ErrUnknown] where there is none.
func (t *Table) Revoke(ctx context.Context, id string) error {
	if t.store == nil {
		return ErrUnknown
	}
	n, err := t.store.Remove(ctx, id)
	if err != nil {
		return storeError(err)
	}
	if n == 0 {
		return ErrUnknown
	}
	return t.Sync(ctx)
}

// Leaked revokes the keys among strings that somebody found in the open, such as a
// secret scanner. Keys of the configuration cannot be revoked here: inFile names
// them, and their callers, for a person to take out of the file. It is there also with
// an error. Errors: [ErrTooMany], and [ErrUnavailable] where the store cannot say which
// keys there are.
func (t *Table) Leaked(ctx context.Context, found []string) (revoked int, inFile []Entry, err error) {
	if len(found) > MaxLeaked {
		return 0, nil, ErrTooMany
	}
	var hashes []Hash
	for _, text := range found {
		if _, ok := ID(text); !ok {
			continue
		}
		hash := Hash(sha256.Sum256([]byte(text)))
		hashes = append(hashes, hash)
		if e, ok := (*t.file.Load())[hash]; ok {
			inFile = append(inFile, e.named(text))
		}
	}
	if len(hashes) == 0 || t.store == nil {
		return 0, inFile, nil
	}
	if err := t.Sync(ctx); err != nil { // another replica may have made one a moment ago
		return 0, inFile, err
	}
	ids := t.made(hashes)
	if len(ids) == 0 {
		return 0, inFile, nil
	}
	revoked, err = t.store.Remove(ctx, ids...)
	if err != nil {
		return 0, inFile, storeError(err)
	}
	return revoked, inFile, t.Sync(ctx)
}

// made returns the ids of the keys made at run time among hashes.
func (t *Table) made(hashes []Hash) (ids []string) {
	byHash := t.snapshot.Load().byHash
	for _, hash := range hashes {
		if r, ok := byHash[hash]; ok {
			ids = append(ids, r.ID)
		}
	}
	return ids
}
