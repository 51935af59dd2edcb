package session

import (
	"bytes"
	"context"
	"time"

	"coatcheck/bff/credential"
)

// describeWait bounds how long another change that is at work is waited for.
const describeWait = 10 * time.Second

// Describe writes what the API says of the person of s now, a JSON object, and returns
// the session with it. A renewal of the credential that comes in between is kept. Errors
// are those of [Manager.Refresh].
func (m *Manager) Describe(ctx context.Context, s *Session, t Ticket, user []byte) (*Session, error) {
	for range 3 { // a renewal at work is joined, and brings its own
		if bytes.Equal(s.User, user) {
			break
		}
		next, err := m.amend(ctx, s, t, describeWait, "describe", func(_ context.Context, old *credential.Credential) (*Renewal, error) {
			return &Renewal{Credential: old, User: user}, nil
		})
		if err != nil {
			return nil, err
		}
		s = next
	}
	return s, nil
}
