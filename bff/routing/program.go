package routing

import (
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
	// Secret are the fields, in lower case, and Cut the query parameters that hold what
	// proves a caller by itself. They never go to the API.
	Secret []string
	Cut    apikey.Places
}

// newPrograms is nil for a route without callers.
func newPrograms(c *configs.Config, r *configs.Route) *Programs {
	if len(r.Callers) == 0 {
		return nil
	}
	p := &Programs{Callers: r.Callers, Keys: c.KeyPlaces(r)}
	p.Cut.Queries = slices.Clone(p.Keys.Queries)
	for _, name := range p.Keys.Headers {
		p.Secret = append(p.Secret, strings.ToLower(name))
	}
	for _, name := range r.Callers {
		for _, s := range c.Callers[name].Signature {
			p.addSignature(s)
		}
	}
	return p
}

func (p *Programs) addSignature(s *configs.Signature) {
	p.Signers = true
	if s.Proof == nil || !s.Proof.InHead() {
		return
	}
	p.Proofs = append(p.Proofs, *s.Proof)
	if s.By != configs.ByEqual && s.By != configs.ByJWT {
		return
	}
	if s.Proof.Header != "" {
		p.Secret = append(p.Secret, strings.ToLower(s.Proof.Header))
	}
	if s.Proof.Query != "" {
		p.Cut.Queries = append(p.Cut.Queries, s.Proof.Query)
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
	d.ByProgram = len(d.Keys) > 0 || d.Signed || d.Route.Session == SessionNone
	if len(p.Cut.Queries) > 0 {
		d.Target.Query = cutQuery(p.Cut, d.Target.Query)
	}
	proofs := len(d.Keys)
	if d.Signed {
		proofs++
	}
	if proofs > 0 && d.Route.Session == SessionRequired && hasCookie(r.Head, d.Frontend.Config.Cookie.Name) {
		proofs++
	}
	switch {
	case proofs > 1:
		return problem.TwoCredentials
	case len(d.Keys) > 0 && r.SpeaksOfBrowser():
		return problem.KeyInBrowser
	}
	return nil
}

func cutQuery(p apikey.Places, query []byte) []byte {
	return []byte(p.CutQuery(string(query)))
}

// guards reports whether the guard looks at a call. A proof that a program brings is
// never ambient, so that no page can make somebody else's browser send it. Where only
// programs may call, a call without a proof that speaks of no browser is let on to be
// told that it needs one.
func (d *Decision) guards(r *Request) bool {
	switch {
	case d.Route == nil:
		return !d.Frontend.Config.IsDoor()
	case d.Route.Programs == nil:
		return d.Route.Config.Guard || d.Handshake
	}
	proven := len(d.Keys) > 0 || d.Signed
	return !proven && (d.Route.Session != SessionNone || r.SpeaksOfBrowser())
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
