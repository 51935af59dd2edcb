package demo

import (
	"crypto/sha256"
	"slices"
	"time"
)

// maxSeen bounds the tokens of one visitor that are remembered.
const maxSeen = 64

// Visitor is who comes with a token that a provider made, as the provider says.
type Visitor struct {
	// Subject is the [Person]'s ID, Session the provider's own name of the session.
	Subject, Session string
	// Ends is when the token dies.
	Ends time.Time
}

// Provider is asked about tokens that the API did not make itself.
type Provider interface {
	// Introspect tells who comes with a token; false: it is dead, or not the provider's.
	Introspect(token string) (Visitor, bool)
	// Journal is what happened at the provider in a session, after event number n.
	Journal(session string, n int) []ProviderEvent
	// Issuer is the provider's address.
	Issuer() string
}

// ProviderEvent is a line of a provider's own journal. Tokens are fingerprints.
type ProviderEvent struct {
	N     int    `json:"n"`     // its number, from 1
	Kind  string `json:"kind"`  // "authorize", "sign-in", "code", "token" or "refresh"
	Token string `json:"token"` // a fingerprint
}

// visitor returns the grant of a provider's session that token belongs to, or nil; g is
// locked. A token that was not seen before is a renewed one.
func (g *grants) visitor(token string) *grant {
	if g.provider == nil {
		return nil
	}
	v, ok := g.provider.Introspect(token)
	who := slices.IndexFunc(g.people, func(p Person) bool { return p.ID == v.Subject })
	if !ok || who < 0 {
		return nil
	}
	id := "session of the provider " + v.Session
	gr := g.byID[id]
	if gr == nil {
		g.makeRoom()
		gr = &grant{id: id, person: g.people[who], session: v.Session, ends: g.now().Add(refreshLifetime)}
		g.byID[id] = gr
	}
	sum := sha256.Sum256([]byte(token))
	if slices.Contains(gr.seen, sum) {
		return gr
	}
	if len(gr.seen) > 0 {
		gr.refreshes++
	}
	gr.seen = append(gr.seen[max(0, len(gr.seen)-maxSeen+1):], sum)
	gr.access = append([]access{{sum, v.Ends}}, gr.access[:min(len(gr.access), tokensPerGrant-1)]...)
	return gr
}

// atProvider is what happened at the provider in the session of a token, and the
// provider's address; "" where the person signed in here.
func (g *grants) atProvider(token string, n int) (events []ProviderEvent, issuer string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.find(token)
	if gr == nil || gr.session == "" {
		return []ProviderEvent{}, ""
	}
	return g.provider.Journal(gr.session, n), g.provider.Issuer()
}
