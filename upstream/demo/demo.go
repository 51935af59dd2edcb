// Package demo is a small HTTP API to try Coatcheck on. It stands in for the API
// that somebody else runs on another origin: it knows bearer tokens and nothing
// of cookies, answers no CORS preflight, and has never heard of Coatcheck.
//
// Signing in, all with JSON bodies:
//
//	POST /auth/login    {email, password}   200 {access_token, refresh_token, token_type, expires_in, user: {id, email, name, role}}
//	                                        401 {error: "invalid_credentials"}, 403 {error: "account_locked"}
//	                                        401 {error: "mfa_required", mfa_token}: a code is needed as well
//	POST /auth/mfa      {mfa_token, code}   200 as from login; 401 {error: "invalid_code"}, 401 {error: "invalid_grant"}
//	POST /auth/refresh  {refresh_token}     200 as above, without user; 401 {error: "invalid_grant"}
//	POST /auth/logout   {refresh_token}     204, also for a token that is dead already
//
// Refresh tokens rotate. One that comes a second time has been copied by somebody,
// so it ends its whole family: the person must sign in anew (RFC 9700 §4.14.2).
//
// Behind "Authorization: Bearer …", else 401 {error: "invalid_token"}:
//
//	GET    /api/me              the person
//	GET    /api/notes           the person's notes, at most 50
//	POST   /api/notes           {text}: 201 and the note
//	DELETE /api/notes/{id}      204
//	any    /api/echo            the request as it arrived here; the token only as a fingerprint
//	GET    /api/slow?ms=        answers after that time, at most 30 s
//	GET    /api/error/{status}  answers with that status, 400 to 599
//	GET    /api/events          server-sent events: ?every= milliseconds, ?count= events
//	POST   /api/upload          counts the bytes, at most 64 MiB
//	GET    /api/document        an HTML page with a script in it, to see that it stays apart
//	GET    /api/socket          a WebSocket that sends back what it gets, for 10 minutes
//	GET    /api/journal?after=  what arrived here for this sign-in, refreshes included; tokens only as fingerprints; ?provider= what the provider noted
//	POST   /api/revoke          tells the operators' interface to end the person's sessions, where one is set; else 404
//	GET    /api/programs        server-sent events: what programs left here, and what comes; where Robot is set
//	POST   /api/programs/{name} sets a program going, where [Options] has some: {outcomes}
//	GET    /v1/orders           a CSV file, for people and for programs
//	POST   /hooks/phone         an event, for programs
//	POST   /api/expire          204; the caller's access tokens are dead from then on; 429 within 70 s
//
// Everything is in memory, is bounded, and is gone when the process ends.
package demo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// DefaultTokenLifetime is how long an access token lives unless [Options] say otherwise.
const DefaultTokenLifetime = 5 * time.Minute

// Options shape the API. The zero value is ready to use.
type Options struct {
	// TokenLifetime of access tokens; 0 is [DefaultTokenLifetime].
	TokenLifetime time.Duration
	// People who can sign in; nil is [People].
	People []Person
	// Now tells the time; nil is [time.Now].
	Now func() time.Time
	// API names another API whose way of signing people in is spoken, one of
	// [Speaks]; "" is the demo's own.
	API string
	// Provider that made the tokens of those who signed in there; nil: there is none.
	Provider Provider
	// Robot is the token of the account that programs call with; "": there are none.
	Robot string
	// Programs that can be set going from here; nil: none.
	Programs Programs
	// Revoke asks those who keep the person's sessions to end them: what an API's own
	// security desk would do. nil: POST /api/revoke is 404.
	Revoke func(ctx context.Context, p Person) error
}

// api is one running API. Its parts lock themselves.
type api struct {
	people []Person
	grants *grants
	notes  *notebook
	door   *door // nil: the API spoken for asks for codes itself
	now    func() time.Time
	revoke func(context.Context, Person) error

	robot    string
	programs Programs
	arrivals *arrivals
}

// Handler returns a new API with nobody signed in.
func Handler(o Options) http.Handler {
	if o.TokenLifetime <= 0 {
		o.TokenLifetime = DefaultTokenLifetime
	}
	if o.People == nil {
		o.People = People()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	g := newGrants(o.TokenLifetime, o.Now)
	g.people, g.provider = o.People, o.Provider
	a := &api{people: o.People, grants: g, notes: newNotebook(), now: o.Now, revoke: o.Revoke,
		robot: o.Robot, programs: o.Programs, arrivals: newArrivals()}
	if o.API == "" {
		a.door = &door{now: o.Now, waiting: map[string]*waiter{}}
	}
	return speak(o.API, a.routes())
}

func (a *api) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /auth/login", a.login)
	if a.door != nil {
		mux.HandleFunc("POST /auth/mfa", a.mfa)
	}
	mux.HandleFunc("POST /auth/refresh", a.refresh)
	mux.HandleFunc("POST /auth/logout", a.logout)

	mux.HandleFunc("GET /api/me", a.signedIn(a.me))
	mux.HandleFunc("GET /api/notes", a.signedIn(a.listNotes))
	mux.HandleFunc("POST /api/notes", a.signedIn(a.addNote))
	mux.HandleFunc("DELETE /api/notes/{id}", a.signedIn(a.deleteNote))
	mux.HandleFunc("/api/echo", a.signedIn(a.echo))
	mux.HandleFunc("GET /api/slow", a.signedIn(a.slow))
	mux.HandleFunc("GET /api/error/{status}", a.signedIn(a.fail))
	mux.HandleFunc("GET /api/events", a.signedIn(a.events))
	mux.HandleFunc("POST /api/upload", a.signedIn(a.upload))
	mux.HandleFunc("GET /api/document", a.signedIn(a.document))
	mux.HandleFunc("GET /api/socket", a.signedIn(a.socket))
	mux.HandleFunc("GET /api/journal", a.readJournal)
	if a.revoke != nil {
		mux.HandleFunc("POST /api/revoke", a.signedIn(a.endElsewhere))
	}
	mux.HandleFunc("POST /api/expire", a.signedIn(a.expire))
	programAPI{a}.routes(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "not_found") })
	return mux
}

// programAPI is what the API has for programs that call.
type programAPI struct{ *api }

// routes are there only where programs are.
func (a programAPI) routes(mux *http.ServeMux) {
	if a.robot != "" {
		mux.HandleFunc("GET /v1/orders", a.listOrders)
		mux.HandleFunc("POST /hooks/phone", a.phoneEvent)
		mux.HandleFunc("GET /api/programs", a.watchPrograms)
	}
	if a.programs != nil {
		mux.HandleFunc("POST /api/programs/{name}", a.signedIn(a.runProgram))
	}
}

// Serve answers on ln until ctx ends, then lets calls finish for a second and
// breaks off the rest. It closes ln and returns nil after an end that ctx asked for.
func Serve(ctx context.Context, ln net.Listener, o Options) error {
	server := &http.Server{
		Handler:           Handler(o),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	served := make(chan error, 1)
	// Owned by this call: it ends when the server is closed below.
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
