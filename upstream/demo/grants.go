package demo

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"time"
)

// Bounds: how many people can be signed in at once (the oldest grant makes room),
// and how many access tokens of one grant live side by side. Calls that were on
// their way during a refresh still carry the token before.
const (
	maxGrants       = 1000
	tokensPerGrant  = 2
	refreshLifetime = 24 * time.Hour
)

// expirePause is the least time between two [grants.expire] of one sign-in.
// Coatcheck refreshes once a minute at most because an API answered 401; sooner
// than that the person would be left with a dead token.
const expirePause = 70 * time.Second

var (
	errUnknownToken = errors.New("demo: unknown or expired token")
	errReusedToken  = errors.New("demo: refresh token used twice")
)

// grants knows who signed in. A grant is one sign-in and all tokens that came of it.
type grants struct {
	lifetime time.Duration
	now      func() time.Time
	people   []Person
	provider Provider // nil: all tokens are made here

	mu   sync.Mutex
	byID map[string]*grant
}

type grant struct {
	id        string
	person    Person
	refresh   [sha256.Size]byte // of the one refresh token that is good
	access    []access          // newest first
	ends      time.Time
	refreshes int
	expired   time.Time           // when expire was last called
	journal   []entry             // what arrived, oldest first
	noted     int                 // how many entries there were in all
	session   string              // at the provider; "": the person signed in here
	seen      [][sha256.Size]byte // tokens of the provider's, newest last
}

type access struct {
	sum  [sha256.Size]byte
	ends time.Time
}

// tokens is what a sign-in or a refresh hands out.
type tokens struct {
	access, refresh string
	expiresIn       int // seconds
}

func newGrants(lifetime time.Duration, now func() time.Time) *grants {
	return &grants{lifetime: lifetime, now: now, byID: map[string]*grant{}}
}

// start signs p in.
func (g *grants) start(p Person) tokens {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.makeRoom()
	gr := &grant{id: random(12), person: p, ends: g.now().Add(refreshLifetime)}
	g.byID[gr.id] = gr
	return g.issue(gr)
}

// renew trades a refresh token for new tokens.
func (g *grants) renew(refresh string) (tokens, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.find(refresh)
	if gr == nil {
		return tokens{}, errUnknownToken
	}
	sum := sha256.Sum256([]byte(refresh))
	if subtle.ConstantTimeCompare(sum[:], gr.refresh[:]) == 0 {
		// The grant's id is as unguessable as the rest: who sends it with another
		// ending had a token of this family that is spent.
		delete(g.byID, gr.id)
		return tokens{}, errReusedToken
	}
	gr.refreshes++
	return g.issue(gr), nil
}

// end forgets the grant that token, of either kind, belongs to.
func (g *grants) end(token string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if gr := g.find(token); gr != nil {
		delete(g.byID, gr.id)
	}
}

// expire makes all access tokens of one grant dead; its refresh token lives on.
// It returns how long to wait where it was done a moment ago, and then does nothing.
func (g *grants) expire(token string) (wait time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.find(token)
	if gr == nil {
		return 0
	}
	if wait = gr.expired.Add(expirePause).Sub(g.now()); wait > 0 {
		return wait
	}
	gr.access, gr.expired = nil, g.now()
	return 0
}

// caller is who a call comes from, as its access token says.
type caller struct {
	person      Person
	token       string
	fingerprint string
	expiresIn   int // seconds
	refreshes   int
}

func (g *grants) caller(token string) (caller, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.find(token)
	if gr == nil {
		return caller{}, errUnknownToken
	}
	sum := sha256.Sum256([]byte(token))
	for _, a := range gr.access {
		left := a.ends.Sub(g.now())
		if left > 0 && subtle.ConstantTimeCompare(a.sum[:], sum[:]) == 1 {
			return caller{gr.person, token, fingerprint(token), int(left / time.Second), gr.refreshes}, nil
		}
	}
	return caller{}, errUnknownToken
}

// issue makes new tokens for gr; g is locked.
func (g *grants) issue(gr *grant) tokens {
	t := tokens{
		access:    "demo_at." + gr.id + "." + random(24),
		refresh:   "demo_rt." + gr.id + "." + random(24),
		expiresIn: int(g.lifetime / time.Second),
	}
	newest := access{sha256.Sum256([]byte(t.access)), g.now().Add(g.lifetime)}
	gr.access = append([]access{newest}, gr.access...)
	gr.access = gr.access[:min(len(gr.access), tokensPerGrant)]
	gr.refresh = sha256.Sum256([]byte(t.refresh))
	return t
}

// find returns the live grant whose id stands in token, or whose provider made it, or
// nil; g is locked.
func (g *grants) find(token string) *grant {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return g.visitor(token)
	}
	gr := g.byID[parts[1]]
	if gr == nil || !g.now().Before(gr.ends) {
		return nil
	}
	return gr
}

// makeRoom drops dead grants and, where that is not enough, the one that ends
// first; g is locked.
func (g *grants) makeRoom() {
	if len(g.byID) < maxGrants {
		return
	}
	var oldest *grant
	for id, gr := range g.byID {
		if !g.now().Before(gr.ends) {
			delete(g.byID, id)
		} else if oldest == nil || gr.ends.Before(oldest.ends) {
			oldest = gr
		}
	}
	if len(g.byID) >= maxGrants && oldest != nil {
		delete(g.byID, oldest.id)
	}
}

// random returns n random bytes as base64url.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// fingerprint names a token without giving it away: the first 8 hex digits of
// its SHA-256.
func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:4])
}
