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

// takes compiles what is taken.
func (c *rule) takes(take map[string]Place, f *faults, claims bool) {
	c.order = slices.Sorted(maps.Keys(take))
	for _, name := range c.order {
		path := "take." + name
		if !isName(name) {
			f.refuse(path, "a value is named with letters, digits, \"_\" and \"-\", and begins with a letter or \"_\"", "")
		}
		if slices.Contains(builtIn, name) {
			f.refuse(path, "this name is built in", "")
		}
		p := take[name]
		checkPlace(path, &p, f, claims)
		c.take[name] = &p
	}
}

// checkPlace holds a place against its form. JSON pointers and header names are
// the configuration's to check as well.
func checkPlace(path string, p *Place, f *faults, claims bool) {
	named := 0
	for _, s := range []string{p.Header, p.Query, p.Form, p.Basic, p.Claim} {
		if s != "" {
			named++
		}
	}
	if p.Pointer != nil {
		named++
		if !isPointer(*p.Pointer) {
			f.refuse(path, "a place in JSON is \"\" or begins with / (RFC 6901)", "")
		}
	}
	switch {
	case named != 1:
		f.refuse(path, "a place is exactly one of a JSON pointer, header, query, form, basic and claim", "{header: X-Signature}")
	case p.Basic != "" && p.Basic != "user" && p.Basic != "password":
		f.refuse(path, "of Basic there is user and password", "{basic: password}")
	case p.Claim != "" && !claims:
		f.refuse(path, "only a JWT has claims", "by: jwt")
	}
}

// isPointer reports whether s is a JSON pointer (RFC 6901 §3).
func isPointer(s string) bool {
	if s != "" && s[0] != '/' {
		return false
	}
	for rest := s; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return true
		}
		if after == "" || after[0] != '0' && after[0] != '1' {
			return false
		}
		rest = after
	}
}

// algorithm compiles the keys.
func (c *rule) algorithm(r *Rule, f *faults) {
	known := []string{HMACSHA1, HMACSHA256, HMACSHA384, HMACSHA512, Ed25519, ECDSASHA256, RSASHA256, JWT, Equal}
	switch {
	case !slices.Contains(known, r.By):
		f.refuse("by", "not an algorithm", strings.Join(known, ", "))
		return
	case len(r.Keys) == 0:
		f.refuse("keys", "without a key nothing can be verified", "keys: [\"${SECRET}\"]")
	case len(r.Keys) > MaxKeys:
		f.refuse("keys", "more than "+strconv.Itoa(MaxKeys)+" keys", "")
		return
	case r.By != JWT && len(r.Algorithms) > 0:
		f.refuse("algorithms", "algorithms are for by: jwt", "")
	}
	if !slices.Contains([]string{"", "text", "base64", "base64url", "hex"}, r.Encoding) {
		f.refuse("key.encoding", "not an encoding", "text, base64, base64url, hex")
		return
	}
	raw := c.keyBytes(r, f)
	if r.By == JWT {
		c.jwt = newToken(r, raw, f)
		return
	}
	c.verifiers(r, raw, f)
}

func (c *rule) keyBytes(r *Rule, f *faults) [][]byte {
	list := make([][]byte, len(r.Keys))
	for i, key := range r.Keys {
		raw, err := r.keyBytes(key.Reveal())
		if err != nil {
			f.refuse(index("keys", i), err.Error(), "")
			continue
		}
		list[i] = raw
	}
	return list
}

func (c *rule) verifiers(r *Rule, raw [][]byte, f *faults) {
	for i, each := range raw {
		if each == nil {
			continue
		}
		v, err := r.newVerifier(each)
		if err != nil {
			f.refuse(index("keys", i), err.Error(), "")
			continue
		}
		c.keys = append(c.keys, v)
		if h, ok := v.(hmacKey); ok {
			c.length = h.hash().Size()
		}
	}
	if r.By == Ed25519 {
		c.length = 64
	}
}

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

// compileTemplate reads a template whose names are built in or taken.
func compileTemplate(path, written string, taken []string, f *faults) template {
	t, err := parseTemplate(written)
	if err != nil {
		f.refuse(path, err.Error(), "")
		return nil
	}
	for _, name := range t.names() {
		if !slices.Contains(builtIn, name) && !slices.Contains(taken, name) {
			f.refuse(path, "a {name} that is neither built in nor taken", "known here: "+strings.Join(append(slices.Clone(builtIn), taken...), ", "))
		}
	}
	return t
}

// compileEcho is compileTemplate for what is answered: only taken values, which are
// short and printable, and what is made of them.
func compileEcho(path, written string, taken []string, f *faults) template {
	t := compileTemplate(path, written, taken, f)
	for _, p := range t {
		switch {
		case slices.Contains(builtIn, p.name):
			f.refuse(path, "only taken values are answered", "take: {x: {query: …}}")
		case p.digest != "" && p.encoding == "":
			f.refuse(path, "a digest in an answer needs an encoding", "{"+p.name+"."+p.digest+".hex}")
		}
	}
	return t
}

// unkeyed refuses .hmac where the rule's own proof would be circular or given away.
func (f *faults) unkeyed(path string, t template) {
	if t.keyed() {
		f.refuse(path, ".hmac is for the lines of admit and for handshakes", "")
	}
}

func compileLine(path string, l *Line, taken []string, f *faults, claims, keyed bool) *line {
	c := &line{at: l.At, bare: l.Is == nil}
	if l.At == nil {
		f.refuse(path+".at", "the place is missing", "at: /type")
		return c
	}
	checkPlace(path+".at", l.At, f, claims)
	for _, is := range l.Is {
		w, err := newWant(is)
		if w.text.keyed() && !keyed {
			f.refuse(path+".is", ".hmac needs a rule that signs by an HMAC", "by: hmac-sha256")
		}
		if err != nil {
			f.refuse(path+".is", err.Error(), "")
		}
		for _, name := range w.text.names() {
			if !slices.Contains(builtIn, name) && !slices.Contains(taken, name) {
				f.refuse(path+".is", "a {name} that is neither built in nor taken", "")
			}
		}
		c.is = append(c.is, w)
	}
	return c
}

// CheckURL returns what is wrong with [Scheme.URL], or "".
func CheckURL(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(s, "/") {
		return "an address is scheme and host, and a path prefix without / at its end"
	}
	return ""
}
