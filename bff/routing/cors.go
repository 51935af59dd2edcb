package routing

import "coatcheck/bff/problem"

// preflight decides what pages of a listed origin may send to this path.
func (d *Decision) preflight(r *Request) *problem.Problem {
	switch {
	case r.Origins != 1 || !d.Frontend.ListsOrigin(r.Origin, r.Host):
		return problem.OriginNotAllowed
	case d.Endpoint == nil && d.Route == nil:
		return problem.NotFound
	}
	return nil
}

// Preflight is what the answer to a preflight allows: methods and headers, as the
// values of their fields.
func (d *Decision) Preflight() (methods, headers string) {
	if d.Endpoint != nil {
		return d.Endpoint.Allow, d.Frontend.allowHeaders
	}
	return d.Route.Allow, d.Frontend.allowHeaders
}

// CORS is what an answer says about pages of other origins (Fetch, "CORS protocol").
type CORS struct {
	// Vary reports that the answer depends on Origin.
	Vary bool
	// AllowOrigin is the origin whose pages may read the answer; nil: none is named.
	AllowOrigin []byte
	// ExposeHeaders is empty on a preflight.
	ExposeHeaders string
}

// CORS lets pages of a listed origin read the answer, whatever it is, and tells
// caches that it differs by Origin. It looks at the host's frontends where the call
// failed before its own was known.
func (d *Decision) CORS(r *Request) (c CORS) {
	if d.Host == nil {
		return c
	}
	c.Vary = d.Host.otherOrigins
	f := d.pagesFrontend(r)
	if f == nil || !d.Host.otherOrigins && originAuthority(r.Origin) == string(r.Authority) {
		return c // nobody's page, or the page's own host: nothing is crossed
	}
	c.Vary, c.AllowOrigin = true, r.Origin
	if !r.isPreflight() {
		c.ExposeHeaders = f.ExposeHeaders
	}
	return c
}

// pagesFrontend is the frontend whose page makes this call; nil where none does.
func (d *Decision) pagesFrontend(r *Request) *Frontend {
	if r.Origins != 1 {
		return nil
	}
	if d.Frontend != nil {
		if d.Frontend.ListsOrigin(r.Origin, r.Host) {
			return d.Frontend
		}
		return nil
	}
	if exact := d.Host.listing(r.Origin); len(exact) > 0 {
		return exact[0]
	}
	for _, f := range d.Host.patterned() {
		if f.ListsOrigin(r.Origin, r.Host) {
			return f
		}
	}
	return nil
}
