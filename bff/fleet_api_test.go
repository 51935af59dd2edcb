package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// fleetAPI is an API with rotating refresh tokens: one that was spent already ends
// everything of its person, as reuse detection does.
type fleetAPI struct {
	*httptest.Server
	mu        sync.Mutex
	expiresIn int // of the token that a sign-in gives
	slow      time.Duration
	hold      chan struct{} // refresh, /api/slow: nothing goes on before this is closed
	slowCalls int           // of /api/slow, that have come
	events    int           // of /api/event, that have come
	lose      bool          // refresh: rotate, then answer nothing
	answer    int           // refresh: this status instead, nothing rotated
	late      chan struct{} // refresh: once this is closed, a token that is worth nothing by then
	refreshes int
	begun     int
	reuse     int
	current   map[string]string // person: refresh token
	valid     map[string]string // access token: person
	signedOut []string
	n         int
}

func newFleetAPI(t *testing.T) *fleetAPI {
	a := &fleetAPI{expiresIn: 3600, current: map[string]string{}, valid: map[string]string{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(func() { a.CloseClientConnections(); a.Close() })
	return a
}

func (a *fleetAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct{ Email, Refresh string }
	read, _ := io.ReadAll(r.Body)
	if field, value, ok := oneField(read, "email"); ok && field {
		body.Email = value
	}
	_, body.Refresh, _ = oneField(read, "refresh_token")
	switch r.URL.Path {
	case "/login":
		a.mu.Lock()
		defer a.mu.Unlock()
		a.issue(w, body.Email, a.expiresIn)
	case "/refresh":
		a.refresh(w, body.Refresh)
	case "/logout":
		a.mu.Lock()
		defer a.mu.Unlock()
		a.signedOut = append(a.signedOut, body.Refresh)
	case "/api/slow":
		a.mu.Lock()
		a.slowCalls++
		hold := a.hold
		a.mu.Unlock()
		<-hold
		a.whoami(w, r)
	case "/api/stream":
		a.stream(w, r)
	case "/api/event":
		a.set(func(a *fleetAPI) { a.events++ })
	default:
		a.whoami(w, r)
	}
}

// oneField reads a string out of a flat JSON object.
func oneField(b []byte, name string) (found bool, value string, ok bool) {
	_, rest, ok := bytes.Cut(b, []byte(`"`+name+`":"`))
	v, _, _ := bytes.Cut(rest, []byte(`"`))
	return ok, string(v), ok
}

func (a *fleetAPI) issue(w http.ResponseWriter, email string, expiresIn int) {
	a.n++
	access, refresh := fmt.Sprintf("at%d.%s", a.n, email), fmt.Sprintf("rt%d.%s", a.n, email)
	a.valid[access], a.current[email] = email, refresh
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"token":%q,"refresh":%q,"expires_in":%d,"user":{"id":%q}}`, access, refresh, expiresIn, email)
}

func (a *fleetAPI) refresh(w http.ResponseWriter, refresh string) {
	a.mu.Lock()
	a.begun++
	slow, hold, answer, lose, late := a.slow, a.hold, a.answer, a.lose, a.late
	a.mu.Unlock()
	if late != nil {
		<-late
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"token":"overtaken","refresh":"overtaken","expires_in":3600}`)
		return
	}
	if hold != nil {
		<-hold
	}
	time.Sleep(slow) // an API that is slow; a test that needs it to be slow enough uses hold
	a.mu.Lock()
	defer a.mu.Unlock()
	_, email, _ := strings.Cut(refresh, ".")
	w.Header().Set("Content-Type", "application/json")
	switch {
	case answer != 0:
		w.WriteHeader(answer)
		_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
	case a.current[email] != refresh || refresh == "":
		a.reuse++
		a.current[email] = ""
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
	case lose:
		a.refreshes++
		a.current[email] = "lost"
		panic(http.ErrAbortHandler)
	default:
		a.refreshes++
		a.issue(w, email, 3600)
	}
}

func (a *fleetAPI) whoami(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, _ = io.WriteString(w, a.valid[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")])
}

func (a *fleetAPI) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		if _, err := io.WriteString(w, "data: x\n\n"); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// set changes the API while nothing reads it.
func (a *fleetAPI) set(change func(a *fleetAPI)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

// count returns refresh calls that came, refreshes made, and spent tokens tried.
func (a *fleetAPI) count() (begun, refreshes, reuse int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.begun, a.refreshes, a.reuse
}
