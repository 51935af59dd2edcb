package provider

import (
	"crypto/sha256"
	"encoding/hex"
)

// maxEvents bounds what is remembered of one session; the oldest event makes room.
const maxEvents = 64

// Event is one thing that happened here in a session. Nothing in it opens anything.
type Event struct {
	// N is its number, from 1.
	N int
	// Kind is "authorize", "sign-in", "code", "token" or "refresh".
	Kind string
	// Token is a fingerprint: of the challenge that came with "authorize", of the code,
	// or of the access token that went out.
	Token string
}

// Journal returns what happened in a session after event number n, oldest first.
func (p *Provider) Journal(session string, n int) []Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events, _ := p.events.get(session, p.now())
	found := []Event{}
	for _, e := range events {
		if e.N > n {
			found = append(found, e)
		}
	}
	return found
}

// note writes into the journal of a session.
func (p *state) note(session, kind, token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	events, _ := p.events.get(session, p.now())
	n := 1
	if len(events) > 0 {
		n = events[len(events)-1].N + 1
	}
	events = append(events[:len(events):len(events)], Event{N: n, Kind: kind, Token: fingerprint(token)})
	p.events.put(session, events[max(0, len(events)-maxEvents):], p.now(), sessionLife)
}

// fingerprint names a secret without giving it away: the first 8 hex digits of its
// SHA-256, as the demo's API does it; "" of nothing.
func fingerprint(secret string) string {
	if secret == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:4])
}
