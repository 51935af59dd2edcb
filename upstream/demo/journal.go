package demo

import (
	"net/http"
	"strconv"
)

// maxEntries bounds the journal of one grant; the oldest entry makes room.
const maxEntries = 128

// entry is one thing that arrived here, as the API saw it. Tokens are fingerprints.
type entry struct {
	N    int    `json:"n"`
	Kind string `json:"kind"` // "sign-in", "refresh" or "call"
	// Method and Path of the request.
	Method string `json:"method"`
	Path   string `json:"path"`
	// Token that arrived with a call; that went out with a sign-in or a refresh.
	Token string `json:"token"`
	// Good: the token was a live one.
	Good bool `json:"good"`
	// Cookie: a cookie arrived too, which none should.
	Cookie bool `json:"cookie"`
}

// note writes into the journal of the grant that token belongs to, if it is anybody's.
func (g *grants) note(token, kind string, r *http.Request, good bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gr := g.find(token)
	if gr == nil {
		return
	}
	gr.noted++
	gr.journal = append(gr.journal, entry{N: gr.noted, Kind: kind, Method: r.Method, Path: r.URL.EscapedPath(),
		Token: fingerprint(token), Good: good, Cookie: r.Header.Get("Cookie") != ""})
	if extra := len(gr.journal) - maxEntries; extra > 0 {
		gr.journal = append([]entry(nil), gr.journal[extra:]...)
	}
}

// entries returns what was noted after entry number n.
func (g *grants) entries(token string, n int) []entry {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := []entry{}
	if gr := g.find(token); gr != nil {
		for _, e := range gr.journal {
			if e.N > n {
				found = append(found, e)
			}
		}
	}
	return found
}

// readJournal shows what arrived for the caller's sign-in. Reading is not noted.
func (a *api) readJournal(w http.ResponseWriter, r *http.Request) {
	token := bearer(r)
	if _, err := a.grants.caller(token); err != nil {
		unknownToken(w)
		return
	}
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	there, _ := strconv.Atoi(r.URL.Query().Get("provider"))
	events, issuer := a.grants.atProvider(token, there)
	writeJSON(w, http.StatusOK, map[string]any{"entries": a.grants.entries(token, after), "provider": events, "issuer": issuer})
}
