package signature

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Verifier is a compiled [Scheme]. It is safe for concurrent use and never changes.
type Verifier struct {
	caller     string
	rules      []*rule
	handshakes []*handshake
	maxSigned  int64
	url        string
}

// rule is a compiled [Rule].
type rule struct {
	take     map[string]*Place
	order    []string // names of take
	over     template
	keys     []verifier
	jwt      *token
	proof    Proof
	length   int // of a proof in bytes, where the algorithm fixes it
	fresh    []clock
	once     template
	remember time.Duration
	admit    []*line
	written  *Rule // for Explain
}

// onceDefault is how long a value of Once is remembered where no Fresh bounds how
// long a call can be repeated.
const onceDefault = 24 * time.Hour

// Compile reads a scheme and reports all that is wrong or unwise in it. The
// Verifier is nil if a fault is more than a warning.
func Compile(s Scheme) (*Verifier, []Fault) {
	v := &Verifier{caller: s.Caller, maxSigned: s.MaxSigned, url: s.URL}
	whole := faults{rule: -1, handshake: -1}
	switch {
	case len(s.Rules) == 0:
		whole.refuse("signature", "no rule says how this caller signs", "")
	case len(s.Rules) > MaxRules:
		whole.refuse("signature", "more than "+strconv.Itoa(MaxRules)+" rules", "")
	case len(s.Handshakes) > MaxRules:
		whole.refuse("handshake", "more than "+strconv.Itoa(MaxRules)+" handshakes", "")
	}
	list := whole.list
	for i := range s.Rules {
		f := &faults{rule: i, handshake: -1}
		v.rules = append(v.rules, compileRule(&s.Rules[i], f))
		list = append(list, f.list...)
	}
	for i := range s.Handshakes {
		f := &faults{rule: -1, handshake: i}
		v.handshakes = append(v.handshakes, v.compileHandshake(&s.Handshakes[i], f))
		list = append(list, f.list...)
	}
	if slices.ContainsFunc(list, func(f Fault) bool { return !f.Warning }) {
		return nil, list
	}
	return v, list
}

func compileRule(r *Rule, f *faults) *rule {
	c := &rule{written: r, proof: r.Proof, take: map[string]*Place{}, remember: onceDefault}
	c.takes(r.Take, f, r.By == JWT)
	c.algorithm(r, f)
	c.proofPlace(r, f)
	c.signed(r, f)
	c.times(r, f)
	if r.Once != "" {
		c.once = compileTemplate("once", r.Once, c.order, f)
		f.unkeyed("once", c.once)
		if len(c.once.names()) == 0 {
			f.refuse("once", "no {name} in it: only the first call would pass", "once: \"{id}\"")
		}
	}
	for i := range r.Admit {
		c.admit = append(c.admit, compileLine(index("admit", i), &r.Admit[i], c.order, f, r.By == JWT, hashes[r.By] != nil))
	}
	if len(f.list) == 0 {
		c.warnings(r, f)
	}
	return c
}

func index(name string, i int) string { return name + "[" + strconv.Itoa(i) + "]" }

func (c *rule) proofPlace(r *Rule, f *faults) {
	checkPlace("proof", &c.proof.Place, f, false)
	if c.proof.Encoding == "" {
		c.proof.Encoding = "hex"
		if r.By == JWT || r.By == Equal {
			c.proof.Encoding = "text"
		}
	}
	switch {
	case !slices.Contains([]string{"text", "base64", "base64url", "hex"}, c.proof.Encoding):
		f.refuse("proof.encoding", "not an encoding", "hex, base64, base64url, text")
	case r.By == JWT && c.proof.Encoding != "text":
		f.refuse("proof.encoding", "a JWT has an encoding of its own", "leave it out")
	}
}

// signed compiles what was signed.
func (c *rule) signed(r *Rule, f *faults) {
	own := r.By == JWT || r.By == Equal
	switch {
	case own && r.Over != "":
		f.refuse("over", "a JWT says itself what it signs, and equal signs nothing", "admit: [{at: {claim: …}, is: \"{body.sha256.hex}\"}]")
	case !own && r.Over == "":
		f.refuse("over", "what was signed is missing", "over: \"{body}\"")
	case !own:
		c.over = compileTemplate("over", r.Over, c.order, f)
		f.unkeyed("over", c.over)
		if len(c.over.names()) == 0 {
			f.refuse("over", "a constant: one proof would be good for every call", "over: \"{body}\"")
		}
	}
}

func (c *rule) times(r *Rule, f *faults) {
	for _, name := range slices.Sorted(maps.Keys(r.Fresh)) {
		fresh := r.Fresh[name]
		path := "fresh." + name
		if r.Take[name] == (Place{}) && !slices.Contains(c.order, name) {
			f.refuse(path, "no value of this name is taken", "take: {"+name+": {header: …}}")
		}
		if fresh.Within < time.Second || fresh.Within > 24*time.Hour {
			f.refuse(path, "out of range: 1s to 24h", "5m")
		}
		if !slices.Contains([]string{"", "s", "ms", "rfc3339", "http"}, fresh.Unit) {
			f.refuse(path, "not a unit of time", "s, ms, rfc3339, http")
		}
		c.fresh = append(c.fresh, clock{name, fresh.Within, fresh.Unit})
		if len(c.fresh) == 1 || 2*fresh.Within < c.remember {
			c.remember = 2 * fresh.Within
		}
	}
}

// CheckURL returns what is wrong with [Scheme.URL], or "".
func CheckURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(s, "/") {
		return "an address is scheme and host, and a path prefix without / at its end"
	}
	return ""
}
