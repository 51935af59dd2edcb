package session

import (
	"context"
	"fmt"
	"strings"

	"coatcheck/bff/session/store"
	"coatcheck/bff/session/ticket"
)

// EndHandle ends the session that a handle names, best effort: it is replaced by
// another of the same browser. The API cannot be notified, because only the ticket
// opens its token.
func (m *Manager) EndHandle(ctx context.Context, handle string) error {
	h, ok := ticket.ParseHash(handle)
	if !ok {
		return nil
	}
	if _, _, err := m.remove(ctx, h, 0, SignedOut); err != nil {
		return store.Unavailable("end", err)
	}
	return nil
}

// ReplaceInBrowser notes that s is the session of a browser at its frontend. It returns
// the handles of older ones that were noted before, which s replaces, and whether a
// newer one is there already, which replaces s. Each session is noted before the others
// are looked for, so that tabs which finish together leave one session, and agree on it.
func (m *Manager) ReplaceInBrowser(ctx context.Context, browser string, s *Session) (older []string, newer bool, err error) {
	key, own := m.prefix+":b:{"+browser+"}", browserEntry(s)
	if _, err = m.store.AddEntry(ctx, key, s.Frontend+"/"+s.hash.Hex(), []byte(own), s.latest.Sub(m.now())+indexSlack); err != nil {
		return nil, false, store.Unavailable("browser", err)
	}
	entries, err := m.store.Entries(ctx, key)
	if err != nil {
		return nil, false, store.Unavailable("browser", err)
	}
	for id, other := range entries {
		handle, here := strings.CutPrefix(id, s.Frontend+"/")
		switch {
		case !here || handle == s.hash.Hex():
		case string(other) > own:
			newer = true
		default:
			older = append(older, handle)
			_ = m.store.DropEntries(ctx, key, id) // an entry of a dead session harms nobody
		}
	}
	return older, newer, nil
}

// browserEntry orders the sessions of one browser: by their beginning, and where that
// is one millisecond, in some way.
func browserEntry(s *Session) string {
	return fmt.Sprintf("%016x %s", s.Created.UnixMilli(), s.hash.Hex())
}

// Handle names the session in the store. It opens nothing.
func (s *Session) Handle() string { return s.hash.Hex() }
