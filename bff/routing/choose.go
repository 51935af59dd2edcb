package routing

import (
	"bytes"
	"slices"

	"coatcheck/bff/problem"
)

// shared finds the frontends of a host that several share, however many there are.
type shared struct {
	names     map[string]*Frontend
	origins   map[string][]*Frontend // that list an origin by itself
	patterned []*Frontend            // that have patterns of origins
	bases     map[string][]*Frontend // by base path
	longest   int                    // of the base paths
}

// share makes a host ready, once it has all its frontends.
func (h *Host) share() {
	if len(h.Frontends) < 2 {
		return
	}
	s := &shared{names: map[string]*Frontend{}, origins: map[string][]*Frontend{}, bases: map[string][]*Frontend{}}
	for _, f := range h.Frontends {
		s.names[f.Name] = f
		for _, origin := range f.Origins {
			if list := s.origins[origin]; len(list) == 0 || list[len(list)-1] != f {
				s.origins[origin] = append(list, f)
			}
		}
		if len(f.Patterns) > 0 {
			s.patterned = append(s.patterned, f)
		}
		s.bases[f.Base] = append(s.bases[f.Base], f)
		s.longest = max(s.longest, len(f.Base))
	}
	h.shared = s
}

// choose finds the one frontend that a call is for: by its Origin; without one, and
// without Sec-Fetch-Site, by X-Frontend; among several left by the longest base path, and
// then by a route that strangers may call: an unguarded one, or one for programs.
func (h *Host) choose(r *Request, t *Target) (*Frontend, *problem.Problem) {
	if e := h.signInPath(r, t.Path); e != nil {
		return h.chooseForSignIn(e, t)
	}
	var room [8]*Frontend
	left, p := h.meant(room[:0], r, t.Path)
	if p != nil {
		return nil, p
	}
	if len(left) > 1 {
		left = filter(left, func(f *Frontend) bool { route := f.route(t.Path); return route != nil && route.takesStrangers() })
	}
	if len(left) != 1 {
		return nil, problem.FrontendUndetermined
	}
	return left[0], nil
}

// whyNot says why no frontend was found for a call, where p leaves that open.
func (h *Host) whyNot(r *Request, path []byte, p *problem.Problem) string {
	name, named := r.Head.Get("x-frontend")
	_, fetch := r.Head.Get("sec-fetch-site")
	switch {
	case p != problem.FrontendUndetermined:
		return ""
	case h.signInPath(r, path) != nil:
		return "frontend= is missing, or names none of the host's frontends with a provider"
	case r.Origins > 0:
		return "not exactly one frontend that takes calls of the origin has the path"
	case named > 0 && fetch > 0:
		return "neither Origin nor base path says which of the host's frontends it is; X-Frontend does not count beside Sec-Fetch-Site"
	case named > 1 || named == 1 && h.named(string(name)) == nil:
		return "X-Frontend names none of the host's frontends"
	}
	return "neither Origin, X-Frontend nor base path says which of the host's frontends it is"
}

// meant appends the frontends that the call itself may mean; where there are several, those
// with the longest base path that holds path.
func (h *Host) meant(left []*Frontend, r *Request, path []byte) ([]*Frontend, *problem.Problem) {
	if r.Origins > 0 {
		return h.ofOrigin(left, r, path)
	}
	name, named := r.Head.Get("x-frontend")
	if _, fetch := r.Head.Get("sec-fetch-site"); fetch == 0 && named > 0 {
		if f := h.named(string(name)); named == 1 && f != nil {
			left = append(left, f)
		}
		return left, nil
	}
	if h.shared == nil {
		return append(left, h.Frontends...), nil
	}
	return h.atBase(left, path, anyFrontend), nil
}

// ofOrigin appends those that list the call's origin; where none does, those of which a
// pattern means it; and else doors with a route for the path, which list no origin: what
// they answer depends on the proof that came.
func (h *Host) ofOrigin(left []*Frontend, r *Request, path []byte) ([]*Frontend, *problem.Problem) {
	if r.Origins == 1 {
		if listed, any := h.listed(left, r, path); any {
			return listed, nil
		}
	}
	left = h.atBase(left, path, func(f *Frontend) bool { return f.Config.IsDoor() && f.route(path) != nil })
	if len(left) == 0 {
		return nil, problem.OriginNotAllowed
	}
	return left, nil
}

// listed appends those that list the call's one origin, or mean it by a pattern. any says
// that there are some, be it with other base paths.
func (h *Host) listed(left []*Frontend, r *Request, path []byte) (listed []*Frontend, any bool) {
	switch exact := h.listing(r.Origin); {
	case len(exact) == 1:
		return append(left, exact[0]), true
	case len(exact) > 1:
		return h.atBase(left, path, func(f *Frontend) bool { return f.listsExactly(r.Origin) }), true
	}
	for _, f := range h.patterned() {
		if f.listsByPattern(r.Origin, r.Host) {
			left = append(left, f)
		}
	}
	if len(left) > 1 {
		return byBasePath(left, path), true
	}
	return left, len(left) > 0
}

// listing are the frontends that list an origin by itself.
func (h *Host) listing(origin []byte) []*Frontend {
	switch {
	case h.shared != nil:
		return h.shared.origins[string(origin)]
	case h.Frontends[0].listsExactly(origin):
		return h.Frontends
	}
	return nil
}

func (h *Host) patterned() []*Frontend {
	if h.shared != nil {
		return h.shared.patterned
	}
	return h.Frontends
}

// named finds a frontend by its name; nil: there is none.
func (h *Host) named(name string) *Frontend {
	switch {
	case h.shared != nil:
		return h.shared.names[name]
	case h.Frontends[0].Name == name:
		return h.Frontends[0]
	}
	return nil
}

func anyFrontend(*Frontend) bool { return true }

// atBase appends those of f's with the longest base path that holds path.
func (h *Host) atBase(left []*Frontend, path []byte, keep func(*Frontend) bool) []*Frontend {
	h.eachBase(path, func(at []*Frontend) bool {
		for _, f := range at {
			if keep(f) {
				left = append(left, f)
			}
		}
		return len(left) == 0
	})
	return left
}

// eachBase calls more with the frontends of each base path that holds path, the longest
// first, for as long as it returns true.
func (h *Host) eachBase(path []byte, more func([]*Frontend) bool) {
	if h.shared == nil {
		if under(path, h.Frontends[0].Base) {
			more(h.Frontends)
		}
		return
	}
	for end := len(path); end >= 0; end = bytes.LastIndexByte(path[:end], '/') {
		if end > h.shared.longest {
			continue
		}
		if at := h.shared.bases[string(path[:end])]; at != nil && !more(at) {
			return
		}
	}
}

// byBasePath keeps those with the longest base path that holds path; where none
// has one that does, those without.
func byBasePath(all []*Frontend, path []byte) []*Frontend {
	longest := 0
	for _, f := range all {
		if under(path, f.Base) {
			longest = max(longest, len(f.Base))
		}
	}
	return filter(all, func(f *Frontend) bool { return len(f.Base) == longest && under(path, f.Base) })
}

// filter keeps those of all that f wants, in place.
func filter(all []*Frontend, f func(*Frontend) bool) []*Frontend {
	return slices.DeleteFunc(all, func(x *Frontend) bool { return !f(x) })
}
