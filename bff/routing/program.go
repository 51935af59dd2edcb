package routing

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/configs"
)

// Programs is what a route that callers may use looks at in a request.
type Programs struct {
	// Callers are the names of those who may call here.
	Callers []string
	// Keys are the places in which keys are read: those of all callers.
	Keys apikey.Places
	// Signers reports that a caller who signs may call here.
	Signers bool
	// Proofs are the places of the head in which a signature of a caller may stand.
	Proofs []configs.CallPlace
	// Inside reports that a caller may show only inside the body who calls, or by a
	// handshake, which has no proof.
	Inside bool
}

// addPrograms says who may call a route, and what never goes to its API: what stands
// where keys of any caller are read, because a key may come to a route that reads none.
func (r *Route) addPrograms(c *configs.Config) {
	everywhere := c.KeyPlaces(&configs.Route{Callers: slices.Sorted(maps.Keys(c.Callers))})
	r.Cut.Queries = everywhere.Queries
	for _, name := range everywhere.Headers {
		r.Secret = append(r.Secret, strings.ToLower(name))
	}
	if len(r.Config.Callers) == 0 {
		return
	}
	r.Programs = &Programs{Callers: r.Config.Callers, Keys: c.KeyPlaces(r.Config)}
	for _, name := range r.Config.Callers {
		r.Programs.Inside = r.Programs.Inside || len(c.Callers[name].Handshake) > 0
		for _, s := range c.Callers[name].Signature {
			r.addSignature(s)
		}
	}
}

func (r *Route) addSignature(s *configs.Signature) {
	p := r.Programs
	p.Signers = true
	if s.Proof == nil || !s.Proof.InHead() {
		p.Inside = true
		return
	}
	p.Proofs = append(p.Proofs, *s.Proof)
	if s.By != configs.ByEqual && s.By != configs.ByJWT {
		return
	}
	if s.Proof.Header != "" {
		r.Secret = append(r.Secret, strings.ToLower(s.Proof.Header))
	}
	if s.Proof.Query != "" {
		r.Cut.Queries = append(r.Cut.Queries, s.Proof.Query)
	}
}

// signed reports whether anything stands where a signature would.
func (p *Programs) signed(r *Request) bool {
	target := string(r.Head.Target)
	return slices.ContainsFunc(p.Proofs, func(at configs.CallPlace) bool {
		switch {
		case at.Header != "":
			return len(r.Head.Values(at.Header)) > 0
		case at.Basic != "":
			return len(apikey.Places{Basic: true}.Read(r.Head, target)) > 0
		case at.Query != "":
			return len(apikey.Places{Queries: []string{at.Query}}.Read(r.Head, target)) > 0
		}
		return false
	})
}

// readPrograms takes note of the proofs of a program that stand in the head. It refuses
// two at once, and a key that a browser sends: a key in a page is everybody's.
func (d *Decision) readPrograms(r *Request) *problem.Problem {
	p := d.Route.Programs
	d.Keys = p.Keys.Read(r.Head, string(r.Head.Target))
	d.Signed = p.Signers && p.signed(r)
	ticket := d.Route.Session == SessionRequired && hasCookie(r.Head, d.Frontend.Config.Cookie.Name)
	d.ByProgram = len(d.Keys) > 0 || d.Signed || d.Route.Session == SessionNone || p.Inside && !ticket && !d.Handshake && !r.SpeaksOfBrowser()
	proofs := len(d.Keys)
	if d.Signed {
		proofs++
	}
	if proofs > 0 && ticket {
		proofs++
	}
	switch {
	case proofs > 1:
		return d.because(whichProofs(len(d.Keys), d.Signed, ticket), problem.TwoCredentials)
	case len(d.Keys) > 0 && r.SpeaksOfBrowser():
		return problem.KeyInBrowser
	}
	return nil
}

// whichProofs names proofs that came together.
func whichProofs(keys int, signed, ticket bool) string {
	switch {
	case keys > 1:
		return "several keys"
	case keys > 0 && signed:
		return "a key and a signature"
	case ticket && signed:
		return "a signature and the cookie of a session"
	}
	return "a key and the cookie of a session"
}

// cutProofs takes keys, and other proofs that are secrets, out of the query.
func (d *Decision) cutProofs() {
	if len(d.Route.Cut.Queries) > 0 {
		d.Target.Query = []byte(d.Route.Cut.CutQuery(string(d.Target.Query)))
	}
}

// guards reports whether the guard looks at a call. A proof that a program brings is
// never ambient, so that no page can make somebody else's browser send it; nor is what
// comes without a ticket and speaks of no browser, and may be a program's by its body.
// Where only programs may call, a call without a proof that speaks of no browser is let
// on to be told that it needs one.
func (d *Decision) guards(r *Request) bool {
	switch {
	case d.Route == nil:
		return !d.Frontend.Config.IsDoor()
	case d.Route.Programs == nil:
		return d.Route.Config.Guard || d.Handshake
	case d.Route.Session == SessionNone:
		return len(d.Keys) == 0 && !d.Signed && r.SpeaksOfBrowser()
	}
	return !d.ByProgram
}

// SpeaksOfBrowser reports whether the request carries a field that browsers set and
// pages cannot leave out: Origin, or one of Fetch Metadata's.
func (r *Request) SpeaksOfBrowser() bool {
	if r.Origins > 0 {
		return true
	}
	for i := range r.Head.Fields {
		if http1.HasPrefixFold(r.Head.Fields[i].Name, "sec-fetch-") {
			return true
		}
	}
	return false
}

// hasCookie reports whether a cookie of this name came, whatever it says.
func hasCookie(h *http1.Head, name string) bool {
	for _, line := range h.Values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			if key, value, _ := strings.Cut(strings.Trim(pair, " \t"), "="); key == name && value != "" {
				return true
			}
		}
	}
	return false
}
