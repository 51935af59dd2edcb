package session

import (
	"context"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// The index of a person's sessions at one frontend lies under a name made with
// the server's first key, and is looked up under every key. An entry holds what
// the list shows and where the record lies, sealed under the server's key alone:
// the ticket is not at hand when a person lists or ends other sessions.
//
// It heals itself: entries without a record are dropped whenever the list is
// read, and a session that misses its entry puts it back when it is extended or
// listed.

// indexSlack keeps an index a little longer than its last session.
const indexSlack = time.Minute

// indexHeal is the size from which an index is looked through as it grows.
const indexHeal = 16

// people returns the names of a person's index, under every key, first first.
func (o *settings) people(prefix, frontend, subject string) []string {
	names := make([]string, len(o.ring))
	for i, k := range o.ring {
		names[i] = personKey(prefix, k, frontend, subject)
	}
	return names
}

func personKey(prefix string, k *serverKey, frontend, subject string) string {
	return prefix + ":p:{" + k.name(frontend, "person", subject) + "}"
}

// addEntry puts e into the index of s's person. Whenever that has grown to a
// power of two it is read, so that the dead go even if nobody ever lists them.
func (m *Manager) addEntry(ctx context.Context, o *settings, s *Session, e Entry) error {
	k := o.ring[0]
	person := personKey(m.prefix, k, s.Frontend, s.Subject)
	ttl := s.Ends.Sub(m.Now()) + indexSlack
	n, err := m.store.AddEntry(ctx, person, s.ID, k.sealEntry(person, s.hash, e), ttl)
	if err == nil && n >= indexHeal && bits.OnesCount(uint(n)) == 1 {
		_, err = m.listed(ctx, o, s.Frontend, s.Subject)
	}
	return err
}

// indexAgain puts back the entry of a session that misses it. What the person's
// browser was is lost with the old entry.
func (m *Manager) indexAgain(ctx context.Context, o *settings, s *Session) {
	if err := m.addEntry(ctx, o, s, Entry{ID: s.ID, CreatedAt: s.Created}); err != nil {
		m.warn("session entry not put back", "session", s.LogID, "error", err)
	}
}

// dropEntries removes entries under every key. A failure heals later.
func (m *Manager) dropEntries(ctx context.Context, o *settings, frontend, subject string, ids ...string) {
	for _, person := range o.people(m.prefix, frontend, subject) {
		_ = m.store.DropEntries(ctx, person, ids...)
	}
}

// listed is an entry and where its record lies.
type listed struct {
	Entry
	hash hash
}

// listed reads a person's index under every key, asks which of the sessions
// live, and drops the entries of those that do not. The oldest comes first.
func (m *Manager) listed(ctx context.Context, o *settings, frontend, subject string) ([]listed, error) {
	found := map[string]listed{}
	for i, person := range o.people(m.prefix, frontend, subject) {
		entries, err := m.store.Entries(ctx, person)
		if err != nil {
			return nil, err
		}
		for id, sealed := range entries {
			if e, ok := o.ring[i].openEntry(person, id, sealed); ok {
				found[id] = e
			}
		}
	}
	return m.living(ctx, o, frontend, subject, found)
}

func (m *Manager) living(ctx context.Context, o *settings, frontend, subject string, found map[string]listed) ([]listed, error) {
	all := make([]listed, 0, len(found))
	keys := make([]string, 0, len(found))
	for _, e := range found {
		all, keys = append(all, e), append(keys, m.key(e.hash))
	}
	if len(all) == 0 {
		return nil, nil
	}
	seen, err := m.store.Seen(ctx, keys)
	if err != nil {
		return nil, err
	}
	var living []listed
	var dead []string
	for i, e := range all {
		if _, ended := m.endings.reason(e.hash); ended || seen[i].IsZero() {
			dead = append(dead, e.ID)
			continue
		}
		e.LastSeenAt = seen[i]
		living = append(living, e)
	}
	if len(dead) > 0 {
		m.dropEntries(ctx, o, frontend, subject, dead...)
	}
	slices.SortFunc(living, func(a, b listed) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return living, nil
}

// keepLimit ends a person's oldest sessions beyond the limit. Every sign-in adds
// its entry first and then looks at all of them, so however many happen at once,
// the last to look sees all and leaves no more than the limit.
func (m *Manager) keepLimit(ctx context.Context, o *settings, s *Session) error {
	if o.perPerson == 0 {
		return nil
	}
	all, err := m.listed(ctx, o, s.Frontend, s.Subject)
	if err != nil || len(all) <= o.perPerson {
		return err
	}
	_, err = m.endListed(ctx, o, s.Frontend, s.Subject, all[:len(all)-o.perPerson])
	return err
}

// endListed revokes sessions and returns how many it ended.
func (m *Manager) endListed(ctx context.Context, o *settings, frontend, subject string, all []listed) (int, error) {
	var ids []string
	ended := 0
	for _, e := range all {
		_, outcome, err := m.remove(ctx, e.hash, Removal{Reason: Revoked})
		if err != nil {
			return ended, err
		}
		if outcome == Done {
			ended++
		}
		ids = append(ids, e.ID)
	}
	if len(ids) > 0 {
		m.dropEntries(ctx, o, frontend, subject, ids...)
	}
	return ended, nil
}
