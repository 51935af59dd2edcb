// Package toy is a small BFF that keeps every promise of the suite, but for those that
// it is asked to break: each case has a switch of its name. It proves that a case can
// fail, and shows what a case means by its pass. It serves no one.
package toy

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"coatcheck/bff/conformance/browser"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// The methods of a Toy by what they are about: the end of TLS in front of it, and what it
// asks and believes of the provider.
type (
	front   struct{ *Toy }
	relying struct{ *Toy }
)

// Toy is one running toy.
type Toy struct {
	w      *world.World
	shared bool // both frontends call one host, and are known by Origin
	form   bool
	inner  *httptest.Server
	front  net.Listener
	client *http.Client
	store  *store

	mu       sync.Mutex
	all      bool
	sins     map[string]bool
	spared   map[string]bool
	first    string              // ticket
	attempts map[string]*attempt // by state
	failures map[string]int
	once     map[string]bool // jti of logout tokens
	log      strings.Builder
	streams  map[string][]func() // what ends with a session, by key
	renewing map[string]*sync.Mutex
	clock
}

// clock is what is about the ends of sessions.
type clock struct {
	lives    suite.Lives
	seen     map[string]time.Time // the last activity, by ticket
	patience time.Duration
}

// Start starts a toy whose people sign in by form, or at the provider.
func Start(w *world.World, form, shared bool) (*Toy, error) {
	y := &Toy{w: w, form: form, shared: shared, store: newStore(), sins: map[string]bool{}, attempts: map[string]*attempt{}, failures: map[string]int{},
		once: map[string]bool{}, streams: map[string][]func(){}, renewing: map[string]*sync.Mutex{}}
	y.store.on = y.on
	y.client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}, Timeout: 20 * time.Second}
	y.inner = httptest.NewUnstartedServer(y)
	y.inner.Config.ErrorLog = log.New(io.Discard, "", 0)
	y.inner.Config.MaxHeaderBytes = 8 << 20
	y.inner.Start()
	w.OnEnd(func() { world.Shut(y.inner) })
	var err error
	if y.front, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	w.OnEnd(func() { _ = y.front.Close() })
	go front{y}.accept() // ends with the listener
	w.Name(y.front.Addr().String(), "shop.example.com", "admin.example.com", "api.example.com")
	if form {
		return y, nil
	}
	var redirects, after []string
	for _, origin := range []string{world.Shop, world.Admin, world.Shared} {
		redirects, after = append(redirects, origin+"/bff/callback"), append(after, origin+"/")
	}
	return y, w.StartIdP(redirects, after)
}

// Sin makes the toy break exactly these promises from now on.
func (y *Toy) Sin(ids ...string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.reset()
	for _, id := range ids {
		y.sins[id] = true
		for _, help := range helps[id] {
			y.sins[help] = true
		}
	}
}

// reset forgets what earlier sins left behind.
func (y *Toy) reset() {
	y.lives, y.seen = suite.Lives{}, nil
	y.all, y.sins, y.spared = false, map[string]bool{}, map[string]bool{}
	y.failures, y.attempts, y.first = map[string]int{}, map[string]*attempt{}, ""
	y.log.Reset()
	y.store.reset()
}

// SinAll makes it break every promise at once, but for those that cannot be seen broken
// beside the one that is looked at.
func (y *Toy) SinAll(looked string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.reset()
	y.all = true
	for _, id := range append(alone, hidden[looked]...) {
		y.spared[id] = id != looked
	}
}

// on reports whether a promise is broken.
func (y *Toy) on(id string) bool { y.mu.Lock(); defer y.mu.Unlock(); return y.broken(id) }

// broken is on for those who hold the lock.
func (y *Toy) broken(id string) bool { return y.sins[id] || y.all && !y.spared[id] }

func (y *Toy) note(text string) { y.mu.Lock(); defer y.mu.Unlock(); y.log.WriteString(text + "\n") }

// Adapter is the toy as a subject: by form or at the provider, on hosts of its own or
// on a shared one.
func Adapter(name string, form, shared bool) suite.Adapter {
	return suite.Adapter{Name: name, About: "the suite's own toy, which keeps every promise", Start: func(w *world.World) (*suite.Subject, error) {
		y, err := Start(w, form, shared)
		if err != nil {
			return nil, err
		}
		return y.Subject(name), nil
	}}
}

// Subject describes the toy.
func (y *Toy) Subject(name string) *suite.Subject {
	s := &suite.Subject{About: suite.About{Name: name, Version: "of this suite", Settings: "none"}, Address: y.front.Addr().String(), Toy: true,
		Frontend: y.frontend(world.Shop), WebSocket: true, Renews: true, Honest: map[string]string{"X-CSRF": "1"},
		IsSession: func(name string) bool {
			return name == "__Host-shop" || name == "__Host-admin" || name == "shop" || name == "admin"
		},
		Process: suite.Process{Store: y.store, Short: y.short, Restart: func() error { return nil },
			Logs: func() string { y.mu.Lock(); defer y.mu.Unlock(); return y.log.String() }},
		Patience: 30 * time.Second}
	other := y.frontend(world.Admin)
	s.Other = &other
	if y.form {
		s.Form = &suite.Form{Path: "/bff/login", Throttles: 10}
	} else {
		s.Provider = &suite.Provider{Login: "/bff/login", Callback: "/bff/callback", ReturnTo: "return_to", BackChannel: "/bff/backchannel", Userinfo: true, Several: true,
			IsAttempt: func(name string) bool { return strings.HasSuffix(name, "attempt") }}
	}
	return s
}

func (y *Toy) frontend(origin string) suite.Frontend {
	base := origin
	if y.shared {
		base = world.Shared
	}
	return suite.Frontend{Origin: origin, Base: base, API: "/api/", Me: "/bff/me", LogoutMethod: "POST", Logout: "/bff/logout",
		Known: func(a *browser.Answer) bool { return a.Status == 200 && strings.Contains(a.Body, `"user"`) }}
}
