// Package admin speaks to operators, on a listener of its own: health, and the
// administration of sessions. Nothing of it is on the public listener. It is plain
// net/http: calls are few, and it must answer when all else is stuck.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
)

// Options are what the admin listener is made of. All but Providers, Metrics and Keys
// are required.
type Options struct {
	// Manager keeps the sessions that the administration lists and ends.
	Manager *session.Manager
	// Token opens the session administration; without one it answers 404.
	Token func() credential.Secret
	// Providers names those that the configuration has; nil: there are none. A person's
	// sessions are found by the subject of the API and of each provider.
	Providers func() []string
	// Metrics answers GET /metrics; nil: 404.
	Metrics http.Handler
	// Keys administers keys of programs; nil: 404.
	Keys *Keys
	// Draining reports whether the process is about to end.
	Draining func() bool
	// Log gets a line of each session that was ended, and of each failure.
	Log *slog.Logger
}

// pingLimit bounds how long /readyz waits for the store.
const pingLimit = 2 * time.Second

// Handler answers the admin listener.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, map[string]string{"status": "ok"}) })
	mux.HandleFunc("GET /readyz", o.ready)
	if o.Metrics != nil {
		mux.Handle("GET /metrics", o.Metrics)
	}
	mux.HandleFunc("GET /admin/sessions", o.authorized(o.list))
	mux.HandleFunc("DELETE /admin/sessions", o.authorized(o.end))
	o.addKeys(mux)
	return mux
}

// ready says whether calls should come here: 200 or 503, with what was checked.
// ?exclude=store leaves the store out, for probes of a whole fleet: a store's blink
// must not take every replica out at once.
func (o Options) ready(w http.ResponseWriter, r *http.Request) {
	status, checks := 200, map[string]string{"drain": "ok"}
	if o.Draining() {
		status, checks["drain"] = 503, "draining"
	}
	if r.URL.Query().Get("exclude") != "store" {
		ctx, cancel := context.WithTimeout(r.Context(), pingLimit)
		defer cancel()
		checks["store"] = "ok"
		if err := o.Manager.Ping(ctx); err != nil {
			status, checks["store"] = 503, "unreachable"
			o.Log.WarnContext(ctx, "store not reachable", "error", err)
		}
	}
	state := map[int]string{200: "ready", 503: "not ready"}[status]
	reply(w, status, map[string]any{"status": state, "checks": checks})
}

// authorized lets a call through that brings the token.
func (o Options) authorized(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		ok := strings.EqualFold(scheme, "bearer") // RFC 9110 §11.1
		switch {
		case o.Token().IsEmpty():
			http.NotFound(w, r)
		case !ok || !o.Token().Equal(credential.NewSecret(given)):
			w.Header().Set("WWW-Authenticate", "Bearer")
			reply(w, 401, map[string]string{"error": "wrong or missing admin token"})
		default:
			next(w, r)
		}
	}
}

// person reads both parameters. Neither may be missing: there is no "all".
func person(w http.ResponseWriter, r *http.Request) (frontend, subject string, ok bool) {
	q := r.URL.Query()
	frontend, subject = q.Get("frontend"), q.Get("subject")
	if frontend == "" || subject == "" || len(q["frontend"]) > 1 || len(q["subject"]) > 1 {
		reply(w, 400, map[string]string{"error": "both frontend and subject are needed, once each"})
		return "", "", false
	}
	return frontend, subject, true
}

type entry struct {
	ID         string    `json:"id"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"`
	UserAgent  string    `json:"user_agent"`
	Address    string    `json:"address"`
	Provider   string    `json:"provider,omitempty"`
}

// providers are whoever may have named a person: an API, which is the empty name, and
// the providers.
func (o Options) providers() []string {
	names := []string{""}
	if o.Providers != nil {
		names = append(names, o.Providers()...)
	}
	return names
}

func (o Options) list(w http.ResponseWriter, r *http.Request) {
	frontend, subject, ok := person(w, r)
	if !ok {
		return
	}
	list := []entry{}
	for _, provider := range o.providers() {
		found, err := o.Manager.List(r.Context(), frontend, session.PersonOf(provider, subject))
		if err != nil {
			o.fail(w, err)
			return
		}
		for _, e := range found {
			list = append(list, entry{e.ID, e.CreatedAt.UTC(), e.LastSeenAt.UTC(), e.UserAgent, e.Address, provider})
		}
	}
	reply(w, 200, list)
}

func (o Options) end(w http.ResponseWriter, r *http.Request) {
	frontend, subject, ok := person(w, r)
	if !ok {
		return
	}
	n := 0
	for _, provider := range o.providers() {
		ended, err := o.Manager.EndAll(r.Context(), frontend, session.PersonOf(provider, subject))
		if n += ended; err != nil {
			o.fail(w, err)
			return
		}
	}
	o.Log.InfoContext(r.Context(), "security", "event", "revocation", "outcome", "ended_by_operator", "frontend", frontend, "ended", n)
	reply(w, 200, map[string]int{"ended": n})
}

func (o Options) fail(w http.ResponseWriter, err error) {
	status := 500
	if errors.Is(err, store.ErrUnavailable) {
		status = 503
		w.Header().Set("Retry-After", "2")
	}
	o.Log.Error("session administration", "error", err)
	reply(w, status, map[string]string{"error": http.StatusText(status)})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
