package rig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// Received is one request as the API saw it.
type Received struct {
	// Method and URI are those of the request line; the URI is undecoded.
	Method, URI string
	// Host is the Host header, Header all others, Body the whole body.
	Host   string
	Header http.Header
	Body   string
}

// API is an API behind: it records what it sees and answers what it is told to.
type API struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []Received
	answer func(w http.ResponseWriter, r *http.Request)
	tokens int
}

// Marks that no answer, log line or store may show.
const (
	TokenMark    = "tok-MARKED-"
	RefreshMark  = "ref-MARKED-"
	PasswordMark = "pw-MARKED"
)

// NewAPI starts an API that ends with the test.
func NewAPI(t testing.TB) *API {
	t.Helper()
	a := &API{}
	a.Server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(a.Close)
	return a
}

func (a *API) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // a body that broke off is no call
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	a.calls = append(a.calls, Received{r.Method, r.RequestURI, r.Host, r.Header.Clone(), string(body)})
	answer := a.answer
	a.tokens++
	n := a.tokens
	a.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	switch r.URL.Path {
	case "/auth/login":
		var in struct{ Email, Password string }
		_ = json.Unmarshal(body, &in)
		if in.Password != PasswordMark {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"error":"no such `+in.Password+`"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"%s%d","refresh_token":"%s%d","expires_in":3600,"user":{"id":%q,"email":%q,"name":"N","secret":"hidden"}}`, TokenMark, n, RefreshMark, n, in.Email, in.Email)
	case "/auth/refresh":
		fmt.Fprintf(w, `{"access_token":"%s%d","expires_in":3600}`, TokenMark, n)
	case "/auth/logout":
		w.WriteHeader(204)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, r.RequestURI)
	}
}

// Say makes the API answer in another way from now on; nil: as usual.
func (a *API) Say(f func(w http.ResponseWriter, r *http.Request)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answer = f
}

// Last is the newest request that was no sign-in.
func (a *API) Last(t testing.TB) Received {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) == 0 {
		t.Fatal("the API was not called")
	}
	return a.calls[len(a.calls)-1]
}

// Calls are all that arrived, in order.
func (a *API) Calls() []Received {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Count is how many requests came.
func (a *API) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}
