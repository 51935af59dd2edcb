package session

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/ticket"
)

// maxUserAgent is how much of a user agent is kept, in bytes.
const maxUserAgent = 256

// Start says who signed in, where, and what the API gave.
type Start struct {
	Frontend, Subject string // the frontend's name, and who the person is there

	// Provider that signed the person in, its session (sid) and its time (iat of the ID
	// token), so that it can end the session; all empty where an API's mapping did. The
	// subject is then the provider's.
	Provider, ProviderSession string
	ProviderTime              time.Time

	// Began is when the sign-in at the provider began, by the store's clock.
	Began time.Time

	// User is the JSON object that the API gave for the person.
	User []byte

	Credential *credential.Credential // what the API gave

	// RefreshAble says that the credential can be renewed. If not, the session
	// ends when its token does. Persistent is the [Session]'s.
	RefreshAble, Persistent bool

	// UserAgent (cut to 256 bytes) and Address are shown in the person's list.
	UserAgent, Address string
}

// Start begins a session under a new ticket. When it returns, the session is in
// the store and in the person's list, and those beyond MaxPerPerson have ended.
//
// Errors: [store.ErrUnavailable], and [ErrTokenEnded] for a token that cannot be renewed and
// has ended by the store's clock. Then nobody has a ticket: what was stored is removed
// again, or runs out unopened if the store is away. Any other error is a mistake of
// the caller's: no credential, no frontend, or a frontend's name over 255 bytes.
func (m *Manager) Start(ctx context.Context, in Start) (Ticket, *Session, error) {
	if in.Credential == nil || in.Frontend == "" {
		return Ticket{}, nil, errors.New("session: start: no credential or no frontend")
	}
	if err := m.needClock(ctx); err != nil {
		return Ticket{}, nil, err
	}
	o := m.settings.Load()
	t := ticket.New()
	s, err := m.create(ctx, o, t, in)
	if err != nil {
		return Ticket{}, nil, err
	}
	if err := m.index(ctx, o, s, in); err != nil {
		return Ticket{}, nil, err
	}
	if err := m.indexAtProvider(ctx, o, s, in); err != nil {
		return Ticket{}, nil, err
	}
	m.counts.started.Add(1)
	return t, s, nil
}

// end is the latest end of a session that begins now.
func (o *settings) end(now time.Time, in Start) time.Time {
	ends := now.Add(o.life)
	if token := in.Credential.Expires; !in.RefreshAble && !token.IsZero() && token.Before(ends) {
		return token
	}
	return ends
}

func newID() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// cutText returns at most n bytes of s, whole characters of valid UTF-8.
func cutText(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
