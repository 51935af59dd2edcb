package session

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/keyring"
)

// The index of a person's sessions at one frontend lies under a name made with
// the server's first key, and is looked up under every key. An entry holds what
// the list shows and where the record lies, sealed under the server's key alone:
// the ticket is not at hand when a person lists or ends other sessions.
//
// It heals itself: entries without a record are dropped whenever the list is
// read, and a session that misses its entry puts it back when it is extended or
// listed.

// people keeps the index.
type people struct{ *knowledge }

// indexSlack keeps an index a little longer than its last session.
const indexSlack = time.Minute

// indexHeal is the size from which an index is looked through as it grows.
const indexHeal = 16

// tables returns the names of a person's index, under every key, first first.
func (o *settings) tables(prefix, frontend, subject string) []string {
	names := make([]string, len(o.ring.Keys()))
	for i, k := range o.ring.Keys() {
		names[i] = tableKey(prefix, k, frontend, subject)
	}
	return names
}

func tableKey(prefix string, k *keyring.Key, frontend, subject string) string {
	return prefix + ":p:{" + k.Name(frontend, "person", subject) + "}"
}

// addEntry puts e into the index of s's person. Whenever that has grown to a
// power of two it is read, so that the dead go even if nobody ever lists them.
func (p *people) addEntry(ctx context.Context, o *settings, s *Session, e Entry) error {
	k := o.ring.First()
	table := tableKey(p.prefix, k, s.Frontend, s.Subject)
	ttl := s.latest.Sub(p.now()) + indexSlack
	n, err := p.store.AddEntry(ctx, table, s.ID, sealEntry(k, table, s.hash, e), ttl)
	if err == nil && n >= indexHeal && bits.OnesCount(uint(n)) == 1 {
		_, err = p.listed(ctx, o, s.Frontend, s.Subject)
	}
	return err
}

// indexAgain puts back the entry of a session that misses it. What the person's
// browser was is lost with the old entry.
func (p *people) indexAgain(ctx context.Context, o *settings, s *Session) {
	if err := p.addEntry(ctx, o, s, Entry{ID: s.ID, CreatedAt: s.Created}); err != nil {
		p.warn("session entry not put back", "session", s.LogID, "error", err)
	}
}

// dropEntries removes entries under every key. A failure heals later.
func (p *people) dropEntries(ctx context.Context, o *settings, frontend, subject string, ids ...string) {
	for _, table := range o.tables(p.prefix, frontend, subject) {
		_ = p.store.DropEntries(ctx, table, ids...)
	}
}

// listed is an entry and where its record lies.
type listed struct {
	Entry
	hash hash
}

// listed reads a person's index under every key, asks which of the sessions
// live, and drops the entries of those that do not. The oldest comes first.
func (p *people) listed(ctx context.Context, o *settings, frontend, subject string) ([]listed, error) {
	found := map[string]listed{}
	for i, table := range o.tables(p.prefix, frontend, subject) {
		entries, err := p.store.Entries(ctx, table)
		if err != nil {
			return nil, err
		}
		for id, sealed := range entries {
			if e, ok := openEntry(o.ring.Keys()[i], table, id, sealed); ok {
				found[id] = e
			}
		}
	}
	return p.living(ctx, o, frontend, subject, found)
}

func (p *people) living(ctx context.Context, o *settings, frontend, subject string, found map[string]listed) ([]listed, error) {
	all := make([]listed, 0, len(found))
	keys := make([]string, 0, len(found))
	for _, e := range found {
		all, keys = append(all, e), append(keys, p.key(e.hash))
	}
	if len(all) == 0 {
		return nil, nil
	}
	seen, err := p.store.Seen(ctx, keys)
	if err != nil {
		return nil, err
	}
	var living []listed
	var dead []string
	for i, e := range all {
		e.LastSeenAt = seen[i]
		if _, ended := p.recent.Reason(e.hash); ended || seen[i].IsZero() {
			if err := p.follow(ctx, &e); err != nil {
				return nil, err
			}
		}
		if e.LastSeenAt.IsZero() {
			dead = append(dead, e.ID)
		} else {
			living = append(living, e)
		}
	}
	if len(dead) > 0 {
		p.dropEntries(ctx, o, frontend, subject, dead...)
	}
	slices.SortFunc(living, func(a, b listed) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return living, nil
}

// follow finds a session that is not where its entry says: it was exchanged since the entry
// was read. One that is nowhere was last seen at the zero time.
func (k *knowledge) follow(ctx context.Context, e *listed) error {
	next, err := k.movedTo(ctx, e.hash)
	if err != nil {
		return err
	}
	if e.LastSeenAt = (time.Time{}); next == e.hash {
		return nil
	}
	seen, err := k.store.Seen(ctx, []string{k.key(next)})
	if err == nil {
		e.hash, e.LastSeenAt = next, seen[0]
	}
	return err
}
