package routing

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
)

// isNavigation reports whether the endpoint is one that a browser opens as a page: the
// way to a provider, the way back, and its sign-out.
func (d *Decision) isNavigation(r *Request) bool {
	if d.Endpoint == nil {
		return false
	}
	switch d.Endpoint.ID {
	case Callback, ProviderLogout:
		return true
	case Login:
		return r.isGet && len(d.Frontend.Config.Login.Provider) > 0
	}
	return false
}

// prefetchHeaders are what browsers and frameworks say when nobody opened the page yet.
var prefetchHeaders = []string{"sec-purpose", "purpose", "x-moz", "next-router-prefetch"}

// guardNavigation is the guard of navigations. Where they come from is not looked at:
// people are led here from other sites, and a form_post has the provider's Origin. What
// protects them is the seal of the state and the browser's own cookie.
func guardNavigation(r *Request) *problem.Problem {
	for _, name := range prefetchHeaders {
		if _, n := r.Head.Get(name); n > 0 {
			return problem.PrefetchRefused
		}
	}
	if !isOrAbsent(r.Head, "sec-fetch-mode", "navigate") || !isOrAbsent(r.Head, "sec-fetch-dest", "document") {
		return problem.NavigationRequired
	}
	return nil
}

func isOrAbsent(h *http1.Head, name, value string) bool {
	v, n := h.Get(name)
	return n == 0 || n == 1 && string(v) == value
}

// signInPath is the endpoint of a provider's sign-in that a path means at some frontend
// of the host; nil: none. Such calls say by other means which frontend they are for,
// because navigations and providers send no Origin of a page.
func (h *Host) signInPath(r *Request, path []byte) *Endpoint {
	if !bytes.Contains(path, []byte("/bff/")) {
		return nil
	}
	var found *Endpoint
	first := ""
	h.eachBase(path, func(at []*Frontend) bool {
		for _, f := range at {
			if e := f.offered(findEndpoint(path[len(f.Base):])); e != nil && f.opens(e, r) && (found == nil || f.Name < first) {
				found, first = e, f.Name
				break
			}
		}
		return true
	})
	return found
}

// opens reports whether an endpoint is one of a provider's sign-in.
func (f *Frontend) opens(e *Endpoint, r *Request) bool {
	switch e.ID {
	case Callback, ProviderLogout, BackChannel:
		return true
	case Login:
		return r.isGet && len(f.Config.Login.Provider) > 0
	}
	return false
}

// logoutTokens is where providers post logout tokens, at hosts and paths of no frontend
// that has a provider as well.
var logoutTokens = []byte("/bff/backchannel-logout/")

// bringsLogoutToken takes note of a logout token that comes to a host, or without the base
// path, of frontends without its provider: a provider has one address for all frontends, and
// any host of ours will do. A door signs nobody in.
func (t *Table) bringsLogoutToken(r *Request, d *Decision) bool {
	if !bytes.HasPrefix(d.Target.Path, logoutTokens) || len(t.config.Providers) == 0 || d.Host.signInPath(r, d.Target.Path) != nil {
		return false
	}
	e := findEndpoint(d.Target.Path)
	at := slices.IndexFunc(d.Host.Frontends, func(f *Frontend) bool { return !f.Config.IsDoor() })
	if e == nil || at < 0 {
		return false
	}
	d.Frontend, d.IsBFF, d.Endpoint, d.Segment = d.Host.Frontends[at], true, e, d.Target.Path[len(logoutTokens):]
	return true
}

// chooseForSignIn finds the frontend that a navigation of a provider's sign-in is for:
// by base path, then by the state or the parameter frontend. Where the call says
// nothing else (a form_post, a sign-out, the provider itself), the first frontend with
// that provider answers for all of the host.
func (h *Host) chooseForSignIn(e *Endpoint, t *Target) (*Frontend, *problem.Problem) {
	var room [8]*Frontend
	left := h.atBase(room[:0], t.Path, anyFrontend)
	left = filter(left, func(f *Frontend) bool { return f.offered(e) != nil && len(f.Config.Login.Provider) > 0 })
	if len(left) == 0 {
		return nil, problem.NotFound
	}
	hint := ""
	switch e.ID {
	case Login:
		hint = queryValue(t.Query, "frontend")
		if hint == "" && len(left) > 1 {
			return nil, problem.FrontendUndetermined
		}
	case Callback:
		hint, _, _ = cutLastDot(queryValue(t.Query, "state"))
	}
	if hint != "" {
		for _, f := range left {
			if f.Name == hint {
				return f, nil
			}
		}
		if e.ID == Login {
			return nil, problem.FrontendUndetermined
		}
	}
	return left[0], nil
}

// queryValue is the first value of a parameter; empty: there is none. Handlers read
// parameters strictly; this only finds out whose they are.
func queryValue(query []byte, name string) string {
	for pair := range bytes.SplitSeq(bytes.TrimPrefix(query, []byte{'?'}), []byte{'&'}) {
		if key, value, _ := bytes.Cut(pair, []byte{'='}); string(key) == name {
			text, err := url.QueryUnescape(string(value))
			if err != nil {
				return ""
			}
			return text
		}
	}
	return ""
}

// cutLastDot takes the frontend's name off a state: names may hold dots themselves.
func cutLastDot(state string) (before, after string, found bool) {
	if i := strings.LastIndexByte(state, '.'); i >= 0 {
		return state[:i], state[i+1:], true
	}
	return "", state, false
}
