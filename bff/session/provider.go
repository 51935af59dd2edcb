package session

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"coatcheck/bff/session/store"
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
// [store.ErrUnavailable].
func (p *people) EndByProvider(ctx context.Context, l ProviderLogout) (int, error) {
	if err := p.needClock(ctx); err != nil {
		return 0, err
	}
	o := p.settings.Load()
	used := p.providerKeys(o, "j", l.Provider, "jti", l.TokenID)
	switch replayed, err := p.store.Marked(ctx, used...); {
	case err != nil:
		return 0, store.Unavailable("provider logout", err)
	case replayed:
		return 0, ErrReplayed
	}
	kind, name := "sid", l.Session
	if name == "" {
		kind, name = "sub", l.Subject
	}
	n, err := p.endIndexed(ctx, o, kind, name, l)
	if err == nil {
		err = p.store.Mark(ctx, used[0], max(l.Until.Sub(p.now()), time.Minute))
	}
	if err != nil {
		return n, store.Unavailable("provider logout", err)
	}
	return n, nil
}

// entomb remembers that a provider's session ended, or all of a person's, and when.
func (p *people) entomb(ctx context.Context, o *settings, kind, name string, l ProviderLogout) error {
	tomb := p.providerKeys(o, "o", l.Provider, kind, name)[0]
	entry := binary.AppendVarint(binary.AppendVarint(nil, l.IssuedAt.Unix()), p.now().UnixMilli())
	_, err := p.store.AddEntry(ctx, tomb, l.TokenID, entry, logoutMemory)
	return err
}

// buries reports whether a tombstone is over a sign-in: the provider signed the person in
// before it made the logout token. Its times are whole seconds; within one, a sign-in that
// was begun after the token came is a new one. One of the very session (sid) must have
// begun after it anyway: a code may be older than the ID token that it gives.
func buries(entry []byte, in Start, kind string) bool {
	issued, n := binary.Varint(entry)
	if n <= 0 {
		return false
	}
	came, n := binary.Varint(entry[n:])
	signedIn := in.ProviderTime.Unix()
	return signedIn < issued || (kind == "sid" || signedIn == issued) && (n <= 0 || in.Began.UnixMilli() <= came)
}

// isEntombed reports whether the provider ended the session that a sign-in gives, while
// it was being stored.
func (p *people) isEntombed(ctx context.Context, o *settings, in Start) (bool, error) {
	for kind, name := range map[string]string{"sid": in.ProviderSession, "sub": in.Subject} {
		if name == "" {
			continue
		}
		for _, tomb := range p.providerKeys(o, "o", in.Provider, kind, name) {
			entries, err := p.store.Entries(ctx, tomb)
			if err != nil {
				return false, err
			}
			for _, entry := range entries {
				if buries(entry, in, kind) {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

// endIndexed lays the tombstone first: a sign-in that is being stored adds its entry
// first and then looks for it, so that one of the two sees the other.
func (p *people) endIndexed(ctx context.Context, o *settings, kind, name string, l ProviderLogout) (ended int, err error) {
	if err := p.entomb(ctx, o, kind, name, l); err != nil {
		return 0, err
	}
	for i, index := range p.providerKeys(o, "i", l.Provider, kind, name) {
		entries, err := p.store.Entries(ctx, index)
		if err != nil {
			return ended, err
		}
		for id, sealed := range entries {
			e, ok := openEntry(o.ring.Keys()[i], index, id, sealed)
			if !ok || e.CreatedAt.After(l.IssuedAt) {
				continue
			}
			_, outcome, err := p.remove(ctx, e.hash, 0, Revoked)
			if err != nil {
				return ended, err
			}
			if outcome == store.Done {
				ended++
			}
			_ = p.store.DropEntries(ctx, index, id) // a dead entry harms nobody
		}
	}
	return ended, nil
}

// providerKeys are the names of something of a provider's, under every key, first first.
func (p *people) providerKeys(o *settings, room, provider, kind, name string) []string {
	keys := make([]string, len(o.ring.Keys()))
	for i, k := range o.ring.Keys() {
		keys[i] = p.prefix + ":" + room + ":{" + k.Name(provider, kind, name) + "}"
	}
	return keys
}

// indexAtProvider makes a new session one that its provider can end. A session that
// cannot be indexed, or was ended meanwhile, must not live.
func (p *people) indexAtProvider(ctx context.Context, o *settings, s *Session, in Start) error {
	if in.Provider == "" {
		return nil
	}
	err := p.Join(ctx, s, in)
	if err != nil {
		_, _, _ = p.remove(context.WithoutCancel(ctx), s.hash, 0, Revoked)
	}
	return err
}

// Join makes a session one that ends also by what in says of the provider: another tab of
// the same browser came back with another of the provider's sessions. Errors:
// [ErrLoggedOut], [store.ErrUnavailable].
func (p *people) Join(ctx context.Context, s *Session, in Start) error {
	o := p.settings.Load()
	if err := p.addAtProvider(ctx, o, s, in); err != nil {
		return store.Unavailable("start", err)
	}
	switch ended, err := p.isEntombed(ctx, o, in); {
	case err != nil:
		return store.Unavailable("start", err)
	case ended:
		return ErrLoggedOut
	}
	return nil
}

func (p *people) addAtProvider(ctx context.Context, o *settings, s *Session, in Start) error {
	k, ttl := o.ring.First(), s.latest.Sub(p.now())+indexSlack
	for kind, name := range map[string]string{"sid": in.ProviderSession, "sub": in.Subject} {
		if name == "" {
			continue
		}
		index := p.providerKeys(o, "i", in.Provider, kind, name)[0]
		entry := sealEntry(k, index, s.hash, Entry{ID: s.ID, CreatedAt: in.ProviderTime})
		if _, err := p.store.AddEntry(ctx, index, s.ID, entry, ttl); err != nil {
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
		return false, store.Unavailable("attempt", err)
	}
	return held, nil
}
