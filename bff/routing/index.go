package routing

// routeIndex finds the longest route that holds a path. Its cost grows with the number
// of different lengths of prefixes, not with the number of routes.
type routeIndex struct{ lengths []sameLength }

// sameLength is the routes whose prefixes have one length, by prefix; one is the only
// one, if there is no other.
type sameLength struct {
	length int
	one    *Route
	many   map[string][]*Route
}

// newRouteIndex expects the longest first. Among equal prefixes the first counts.
func newRouteIndex(routes []*Route) (x routeIndex) {
	for _, r := range routes {
		n := len(r.Prefix)
		if last := len(x.lengths) - 1; last < 0 || x.lengths[last].length != n {
			x.lengths = append(x.lengths, sameLength{length: n, one: r})
			continue
		}
		x.lengths[len(x.lengths)-1].add(r)
	}
	return x
}

func (s *sameLength) add(r *Route) {
	if s.one != nil {
		s.many = map[string][]*Route{s.one.Prefix: {s.one}}
		s.one = nil
	}
	s.many[r.Prefix] = append(s.many[r.Prefix], r)
}

// find returns nil where no route holds path.
func (x *routeIndex) find(path []byte) *Route {
	for i := range x.lengths {
		s := &x.lengths[i]
		switch {
		case len(path) < s.length:
		case s.one == nil:
			for _, r := range s.many[string(path[:s.length])] {
				if r.Holds(path) {
					return r
				}
			}
		case s.one.Holds(path):
			return s.one
		}
	}
	return nil
}
