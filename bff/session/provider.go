package session

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sessions of people who signed in at a provider are also indexed under names made of
// provider and session (sid), and of provider and subject, over all frontends: the
// provider can end them (OpenID Connect Back-Channel Logout 1.0). Such an entry's time
// is the provider's own, of the ID token, so that two clocks are never compared.

// logoutMemory is how long a provider's ended session is remembered: it catches a
// sign-in that is being stored meanwhile.
const logoutMemory = 10 * time.Minute

// ErrLoggedOut says that the provider ended its session while the sign-in was being
// stored. There is no session.
var ErrLoggedOut = errors.New("session: ended by the provider meanwhile")

// PersonOf names a person for good: by the subject of an API, or by provider and
// subject, because subjects of two providers may be equal and mean two people. No
// subject of an API can read like a provider's person.
func PersonOf(provider, subject string) string {
	if provider == "" {
		if strings.Contains(subject, "\n") {
			return "\n" + subject // providers have a name
		}
		return subject
	}
	return provider + "\n" + subject
}

// ProviderLogout is what a provider's logout token says.
type ProviderLogout struct {
	// Provider by its name in the configuration.
	Provider string
	// Session (sid), else Subject, says whose sessions end.
	Session, Subject string
	// TokenID (jti) is remembered until Until; the same token is then refused.
	TokenID string
	Until   time.Time
	// IssuedAt bounds what ends: only sessions that began before, or with it.
	IssuedAt time.Time
}

// ErrReplayed says that this logout token was used before.
var ErrReplayed = errors.New("session: logout token was used before")

// EndByProvider ends all sessions, at all frontends, that a logout token names, and
// returns how many. The token is remembered as used behind that and never before, so
// that a provider which tries again after a failure is heard. Errors: [ErrReplayed],
// [ErrUnavailable].
func (m *Manager) EndByProvider(ctx context.Context, l ProviderLogout) (int, error) {
	if err := m.needClock(ctx); err != nil {
		return 0, err
	}
	o := m.settings.Load()
	used := m.providerKeys(o, "j", l.Provider, "jti", l.TokenID)
	switch replayed, err := m.store.Marked(ctx, used...); {
	case err != nil:
		return 0, unavailable("provider logout", err)
	case replayed:
		return 0, ErrReplayed
	}
	kind, name := "sid", l.Session
	if name == "" {
		kind, name = "sub", l.Subject
	}
	n, err := m.endIndexed(ctx, o, kind, name, l)
	if err == nil {
		err = m.store.Mark(ctx, used[0], max(l.Until.Sub(m.Now()), time.Minute))
	}
	if err != nil {
		return n, unavailable("provider logout", err)
	}
	return n, nil
}

// endIndexed lays the tombstone first: a sign-in that is being stored adds its entry
// first and then looks for it, so that one of the two sees the other.
func (m *Manager) endIndexed(ctx context.Context, o *settings, kind, name string, l ProviderLogout) (ended int, err error) {
	if kind == "sid" {
		if err := m.store.Mark(ctx, m.providerKeys(o, "o", l.Provider, kind, name)[0], logoutMemory); err != nil {
			return 0, err
		}
	}
	for i, index := range m.providerKeys(o, "i", l.Provider, kind, name) {
		entries, err := m.store.Entries(ctx, index)
		if err != nil {
			return ended, err
		}
		for id, sealed := range entries {
			e, ok := o.ring[i].openEntry(index, id, sealed)
			if !ok || e.CreatedAt.After(l.IssuedAt) {
				continue
			}
			_, outcome, err := m.remove(ctx, e.hash, Removal{Reason: Revoked})
			if err != nil {
				return ended, err
			}
			if outcome == Done {
				ended++
			}
			_ = m.store.DropEntries(ctx, index, id) // a dead entry harms nobody
		}
	}
	return ended, nil
}

// providerKeys are the names of something of a provider's, under every key, first first.
func (m *Manager) providerKeys(o *settings, room, provider, kind, name string) []string {
	keys := make([]string, len(o.ring))
	for i, k := range o.ring {
		keys[i] = m.prefix + ":" + room + ":{" + k.name(provider, kind, name) + "}"
	}
	return keys
}

// indexAtProvider makes a new session one that its provider can end. A session that
// cannot be indexed, or was ended meanwhile, must not live.
func (m *Manager) indexAtProvider(ctx context.Context, o *settings, s *Session, in Start) error {
	if in.Provider == "" {
		return nil
	}
	err := m.addAtProvider(ctx, o, s, in)
	if err == nil && in.ProviderSession != "" {
		var ended bool
		if ended, err = m.store.Marked(ctx, m.providerKeys(o, "o", in.Provider, "sid", in.ProviderSession)...); err == nil && ended {
			err = ErrLoggedOut
		}
	}
	if err == nil {
		return nil
	}
	_, _, _ = m.remove(context.WithoutCancel(ctx), s.hash, Removal{Reason: Revoked})
	if errors.Is(err, ErrLoggedOut) {
		return err
	}
	return unavailable("start", err)
}

func (m *Manager) addAtProvider(ctx context.Context, o *settings, s *Session, in Start) error {
	k, ttl := o.ring[0], s.Ends.Sub(m.Now())+indexSlack
	for kind, name := range map[string]string{"sid": in.ProviderSession, "sub": in.Subject} {
		if name == "" {
			continue
		}
		index := m.providerKeys(o, "i", in.Provider, kind, name)[0]
		entry := k.sealEntry(index, s.hash, Entry{ID: s.ID, CreatedAt: in.ProviderTime})
		if _, err := m.store.AddEntry(ctx, index, s.ID, entry, ttl); err != nil {
			return err
		}
	}
	return nil
}

// UseAttempt marks an attempt at a provider as used, and reports whether this was the
// first time. It is one atomic write; the mark lasts for ttl.
func (m *Manager) UseAttempt(ctx context.Context, id string, ttl time.Duration) (first bool, err error) {
	held, _, err := m.store.Lease(ctx, m.prefix+":a:{"+id+"}", rand.Text(), ttl)
	if err != nil {
		return false, unavailable("attempt", err)
	}
	return held, nil
}

// Handle names the session of a ticket in the store. It opens nothing.
func (t Ticket) Handle() string { return t.hash().hex() }

// EndHandle ends the session that a handle names, best effort: it is replaced by
// another of the same browser. Nothing can be told to the API, because only the ticket
// opens its token.
func (m *Manager) EndHandle(ctx context.Context, handle string) error {
	h, ok := parseHash(handle)
	if !ok {
		return nil
	}
	if _, _, err := m.remove(ctx, h, Removal{Reason: SignedOut}); err != nil {
		return unavailable("end", err)
	}
	return nil
}

// ReplaceInBrowser notes that s is the session of a browser at its frontend. It returns
// the handles of older ones that were noted before, which s replaces, and whether a
// newer one is there already, which replaces s. Each session is noted before the others
// are looked for, so that tabs which finish together leave one session, and agree on it.
func (m *Manager) ReplaceInBrowser(ctx context.Context, browser string, s *Session) (older []string, newer bool, err error) {
	key, own := m.prefix+":b:{"+browser+"}", browserEntry(s)
	if _, err = m.store.AddEntry(ctx, key, s.Frontend+"/"+s.hash.hex(), []byte(own), s.Ends.Sub(m.Now())+indexSlack); err != nil {
		return nil, false, unavailable("browser", err)
	}
	entries, err := m.store.Entries(ctx, key)
	if err != nil {
		return nil, false, unavailable("browser", err)
	}
	for id, other := range entries {
		handle, here := strings.CutPrefix(id, s.Frontend+"/")
		switch {
		case !here || handle == s.hash.hex():
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
	return fmt.Sprintf("%016x %s", s.Created.UnixMilli(), s.hash.hex())
}

// Handle names the session in the store. It opens nothing.
func (s *Session) Handle() string { return hex.EncodeToString(s.hash[:]) }
