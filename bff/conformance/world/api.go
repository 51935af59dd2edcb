package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
)

// Call is one request as the API saw it.
type Call struct {
	Method, URI, Host, Body string
	Header                  http.Header
	Proto                   string
}

// API is the API behind: it records what comes, and answers what a case says.
type API struct {
	world  *World
	server *httptest.Server

	mu     sync.Mutex
	calls  []Call
	says   map[string]http.HandlerFunc
	number int
	// Life of access tokens of the form's sign-in in seconds.
	life int
	bare bool
	// login and renewal are other answers than the usual; nil for none.
	login, renewal http.HandlerFunc
}

func newAPI(w *World) *API {
	a := &API{world: w, says: map[string]http.HandlerFunc{}, life: 3600}
	a.server = httptest.NewUnstartedServer(a)
	a.server.Config.ErrorLog = log.New(io.Discard, "", 0) // what callers do to it is what is looked at
	a.server.Config.MaxHeaderBytes = 8 << 20
	a.server.Start()
	return a
}

// URL is the API's address.
func (a *API) URL() string { return a.server.URL }

// Address is its host and port.
func (a *API) Address() string { return a.server.Listener.Addr().String() }

// ServeHTTP implements [http.Handler].
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say := a.saying(r.RequestURI)
	body := []byte("(not read)")
	if r.Header.Get("X-Unread") == "" {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			panic(http.ErrAbortHandler) // a body that broke off is no call
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	a.mu.Lock()
	a.calls = append(a.calls, Call{r.Method, r.RequestURI, r.Host, string(body), r.Header.Clone(), r.Proto})
	login, renewal := a.login, a.renewal
	a.mu.Unlock()
	switch way := plain(r.URL.Path); {
	case way == "/auth/login" && login != nil:
		login(w, r)
	case way == "/auth/login":
		a.signIn(w, body)
	case way == "/auth/refresh" && renewal != nil:
		renewal(w, r)
	case way == "/auth/refresh":
		a.renew(w, body)
	case way == "/auth/logout":
		w.WriteHeader(http.StatusNoContent)
	case say != nil:
		say(w, r)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"answer":"of the API"}`)
	}
}

// plain is a path as lenient servers read it: without regard to case, parameters and
// slashes. The API's own sign-in lies below the proxied prefix.
func plain(p string) string {
	p, _, _ = strings.Cut(strings.ToLower(path.Clean("/"+p)), ";")
	return strings.TrimPrefix(p, "/api")
}

func (a *API) saying(uri string) http.HandlerFunc {
	if plain, err := url.PathUnescape(uri); err == nil {
		uri = plain
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for mark, say := range a.says {
		if strings.Contains(uri, mark) {
			return say
		}
	}
	return nil
}

func (a *API) signIn(w http.ResponseWriter, body []byte) {
	var in struct{ Email, Password string }
	_ = json.Unmarshal(body, &in)
	for _, who := range []Person{Ada, Bob} {
		if in.Email == who.Email && in.Password == who.Password {
			a.grant(w, who)
			return
		}
	}
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, `{"error":"wrong"}`)
}

func (a *API) grant(w http.ResponseWriter, who Person) {
	a.mu.Lock()
	a.number++
	n, life, bare := a.number, a.life, a.bare
	a.mu.Unlock()
	access, refresh := fmt.Sprintf("acc-MARKED-%s-%d", who.Subject, n), fmt.Sprintf("ref-MARKED-%s-%d", who.Subject, n)
	a.world.issue(access, "access token", who.Email)
	a.world.issue(refresh, "refresh token", who.Email)
	w.Header().Set("Content-Type", "application/json")
	doc := map[string]any{"access_token": access, "expires_in": life, "user": map[string]string{"id": who.Subject, "email": who.Email, "internal": "hidden-MARKED"}}
	if !bare {
		doc["refresh_token"] = refresh
	}
	_ = json.NewEncoder(w).Encode(doc)
}

// Renew answers a renewal as usual: for those who answer otherwise in part.
func (a *API) Renew(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	a.renew(w, body)
}

func (a *API) renew(w http.ResponseWriter, body []byte) {
	var in struct {
		Refresh string `json:"refresh_token"`
	}
	_ = json.Unmarshal(body, &in)
	for _, who := range []Person{Ada, Bob} {
		if in.Refresh != "" && a.world.Owner(in.Refresh) == who.Email {
			a.grant(w, who)
			return
		}
	}
	w.WriteHeader(http.StatusUnauthorized)
	fmt.Fprint(w, `{"error":"invalid_grant"}`)
}

// Say makes the API answer calls whose address contains mark.
func (a *API) Say(mark string, f http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.says[mark] = f
}

// Life sets how long tokens of the form last from now on, in seconds.
func (a *API) Life(seconds int) { a.mu.Lock(); defer a.mu.Unlock(); a.life = seconds }

// Bare implements [Renewals].
func (a *API) Bare(on bool) { a.mu.Lock(); defer a.mu.Unlock(); a.bare = on }

// SayLogin makes sign-ins by form be answered otherwise; nil: as usual.
func (a *API) SayLogin(f http.HandlerFunc) { a.mu.Lock(); defer a.mu.Unlock(); a.login = f }

// SayRenewal is the same for renewals.
func (a *API) SayRenewal(f http.HandlerFunc) { a.mu.Lock(); defer a.mu.Unlock(); a.renewal = f }

// Calls are those whose address or body contains a word.
func (a *API) Calls(word string) (found []Call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.calls {
		if strings.Contains(c.URI, word) || strings.Contains(c.Body, word) {
			found = append(found, c)
		}
	}
	return found
}

// Since are the calls after the first n.
func (a *API) Since(n int) []Call {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Call(nil), a.calls[n:]...)
}

// Count is how many calls came.
func (a *API) Count() int { a.mu.Lock(); defer a.mu.Unlock(); return len(a.calls) }
