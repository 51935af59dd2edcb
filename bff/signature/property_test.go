package signature_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	mrand "math/rand/v2"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/signature"
)

// TestAnySchemeIsVerifiedAndAnyChangeRefused makes schemes out of everything the
// language can say, signs calls with a signer of its own that knows nothing of the
// package, and changes one bit of each part that was signed.
func TestAnySchemeIsVerifiedAndAnyChangeRefused(t *testing.T) {
	for seed := range uint64(400) {
		m := newMaker(seed)
		s := m.scheme()
		v, faults := signature.Compile(s)
		if v == nil {
			t.Fatalf("seed %d: %v", seed, faults)
		}
		c := m.call()
		if _, err := v.Head(c, m.now); err != nil {
			t.Fatalf("seed %d: head: %v\n%+v", seed, err, s.Rules)
		}
		if _, err := v.Verify(c, m.now); err != nil {
			t.Fatalf("seed %d: %v\nover %q by %s, %v", seed, err, s.Rules[0].Over, s.Rules[0].By, v.Explain(c, m.now))
		}
		for name, change := range m.changes() {
			changed := m.copy()
			if !change(changed) {
				continue
			}
			if _, err := v.Verify(changed.request(), m.now); err == nil {
				t.Fatalf("seed %d: %s changed, and verified: over %q by %s", seed, name, s.Rules[0].Over, s.Rules[0].By)
			}
		}
	}
}

// call is a request in the making.
type call struct {
	method, base, path string
	query, form        []pairOf
	fields             map[string]string // of a JSON body
	headers            map[string]string
	isForm             bool
	proof              []byte // as made; put by place
	put                func(c *call, proof string)
	encode             func([]byte) string
	flip               int // of the body's bytes; -1 for none
}

type pairOf struct{ name, value string }

func encodePairs(list []pairOf) string {
	parts := make([]string, len(list))
	for i, p := range list {
		parts[i] = url.QueryEscape(p.name) + "=" + url.QueryEscape(p.value)
	}
	return strings.Join(parts, "&")
}

func (c *call) body() []byte {
	var b []byte
	if c.isForm {
		b = []byte(encodePairs(c.form))
	} else {
		b, _ = json.Marshal(c.fields)
	}
	if c.flip >= 0 {
		b[c.flip%len(b)] ^= 1
	}
	return b
}

func (c *call) target() string {
	if len(c.query) == 0 {
		return c.path
	}
	return c.path + "?" + encodePairs(c.query)
}

func (c *call) request() *signature.Call {
	c.put(c, c.encode(c.proof))
	h := http.Header{}
	for name, value := range c.headers {
		h.Set(name, value)
	}
	if c.isForm {
		h.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	} else {
		h.Set("Content-Type", "application/json")
	}
	b := c.body()
	return &signature.Call{Method: c.method, Target: c.target(), Base: c.base, Header: h, Body: b, Length: int64(len(b))}
}

// maker makes one scheme and one call that fits it.
type maker struct {
	r    *mrand.Rand
	now  time.Time
	c    *call
	over []string // parts of over as text with names
	rule signature.Rule
	sign func(message []byte) []byte
	vals map[string]string
}

func newMaker(seed uint64) *maker {
	return &maker{r: mrand.New(mrand.NewPCG(seed, 7)), now: time.Unix(1_700_000_000, 0), vals: map[string]string{}}
}

func (m *maker) word(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[m.r.IntN(len(letters))]
	}
	return string(b)
}

func (m *maker) scheme() signature.Scheme {
	m.c = &call{method: "POST", base: "https://" + m.word(5) + ".example.com", path: "/hooks/" + m.word(4), flip: -1,
		query: []pairOf{{"q", m.word(5)}}, fields: map[string]string{"type": m.word(6), "text": "ä{}" + m.word(9)},
		form: []pairOf{{"To", "+1" + m.word(4)}, {"From", m.word(4)}, {"Body", "a b&=%" + m.word(3)}}, headers: map[string]string{}, isForm: m.r.IntN(2) == 0}
	m.rule = signature.Rule{Take: map[string]signature.Place{}, Fresh: map[string]signature.Fresh{}}
	m.takes()
	m.algorithm()
	m.proof()
	m.text()
	return signature.Scheme{Caller: "x", Rules: []signature.Rule{m.rule}, MaxSigned: 1 << 20}
}

// place returns a place for a value, and puts the value there.
func (m *maker) place(name, value string) signature.Place {
	var p signature.Place
	set := value
	switch m.r.IntN(3) {
	case 0:
		p.Prefix = m.word(2) + "="
		set = p.Prefix + value
	case 1:
		p.Prefix, p.Split = "t=", ","
		set = "a=1, t=" + value + ",z=9"
	}
	switch m.r.IntN(3) {
	case 0:
		p.Header = "X-" + name
		m.c.headers[p.Header] = set
	case 1:
		p.Query = name
		m.c.query = append(m.c.query, pairOf{name, set})
	default:
		m.inBody(&p, name, set)
	}
	return p
}

func (m *maker) inBody(p *signature.Place, name, set string) {
	if m.c.isForm {
		p.Form = name
		m.c.form = append(m.c.form, pairOf{name, set})
		return
	}
	pointer := "/" + name
	p.Pointer = &pointer
	m.c.fields[name] = set
}

func (m *maker) takes() {
	m.vals["id"] = m.word(10)
	m.rule.Take["id"] = m.place("id", m.vals["id"])
	unit := []string{"s", "ms", "rfc3339"}[m.r.IntN(3)]
	at := m.now.Add(time.Duration(m.r.IntN(600)-300) * time.Second)
	m.vals["at"] = map[string]string{"s": strconv.FormatInt(at.Unix(), 10), "ms": strconv.FormatInt(at.UnixMilli(), 10), "rfc3339": at.UTC().Format(time.RFC3339)}[unit]
	m.rule.Take["at"] = m.place("at", m.vals["at"])
	m.rule.Fresh["at"] = signature.Fresh{Within: 5 * time.Minute, Unit: unit}
	m.rule.Once = "{id}"
}

var keyPair = sync.OnceValue(func() struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
} {
	r, err1 := rsa.GenerateKey(rand.Reader, 2048)
	e, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, d, err3 := ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(err1, err2, err3); err != nil {
		panic(err)
	}
	return struct {
		rsa *rsa.PrivateKey
		ec  *ecdsa.PrivateKey
		ed  ed25519.PrivateKey
	}{r, e, d}
})

func (m *maker) algorithm() {
	m.rule.By = []string{signature.HMACSHA1, signature.HMACSHA256, signature.HMACSHA384, signature.HMACSHA512,
		signature.Ed25519, signature.ECDSASHA256, signature.RSASHA256}[m.r.IntN(7)]
	news := map[string]func() hash.Hash{signature.HMACSHA1: sha1.New, signature.HMACSHA256: sha256.New, signature.HMACSHA384: sha512.New384, signature.HMACSHA512: sha512.New}
	if h := news[m.rule.By]; h != nil {
		key := []byte(m.word(24))
		m.key(key)
		m.sign = func(message []byte) []byte {
			mac := hmac.New(h, key)
			mac.Write(message)
			return mac.Sum(nil)
		}
		return
	}
	k := keyPair()
	var public any
	switch m.rule.By {
	case signature.Ed25519:
		public = k.ed.Public()
		m.sign = func(message []byte) []byte { return ed25519.Sign(k.ed, message) }
	case signature.ECDSASHA256:
		public = &k.ec.PublicKey
		m.sign = func(message []byte) []byte {
			sum := sha256.Sum256(message)
			s, _ := ecdsa.SignASN1(rand.Reader, k.ec, sum[:])
			return s
		}
	default:
		public = &k.rsa.PublicKey
		m.sign = func(message []byte) []byte {
			sum := sha256.Sum256(message)
			s, _ := rsa.SignPKCS1v15(nil, k.rsa, crypto.SHA256, sum[:])
			return s
		}
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		panic(err)
	}
	if m.r.IntN(2) == 0 {
		der = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		m.rule.Keys = []credential.Secret{credential.NewSecret(string(der))}
		return
	}
	m.key(der)
}

// key writes a key in some encoding, behind another that is not used.
func (m *maker) key(raw []byte) {
	m.rule.Encoding = []string{"base64", "base64url", "hex"}[m.r.IntN(3)]
	m.rule.KeyPrefix = []string{"", "whsec_"}[m.r.IntN(2)]
	written := m.rule.KeyPrefix + map[string]string{"base64": base64.StdEncoding.EncodeToString(raw), "base64url": base64.RawURLEncoding.EncodeToString(raw), "hex": hex.EncodeToString(raw)}[m.rule.Encoding]
	m.rule.Keys = []credential.Secret{credential.NewSecret(written)}
}

func (m *maker) proof() {
	m.rule.Proof.Encoding = []string{"hex", "base64", "base64url"}[m.r.IntN(3)]
	m.c.encode = map[string]func([]byte) string{"hex": hex.EncodeToString, "base64": base64.StdEncoding.EncodeToString, "base64url": base64.RawURLEncoding.EncodeToString}[m.rule.Proof.Encoding]
	switch m.r.IntN(3) {
	case 0:
		m.rule.Proof.Place = signature.Place{Header: "X-Proof", Split: " ", Prefix: "v1,"}
		junk := "v1," + m.c.encode([]byte(m.word(64)))
		m.c.put = func(c *call, proof string) { c.headers["X-Proof"] = junk + " v2,zz v1," + proof }
	case 1:
		m.rule.Proof.Place = signature.Place{Header: "X-Proof", Prefix: "sha="}
		m.c.put = func(c *call, proof string) { c.headers["X-Proof"] = "sha=" + proof }
	default:
		m.rule.Proof.Place = signature.Place{Basic: "password"}
		m.c.put = func(c *call, proof string) {
			c.headers["Authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte("u:"+proof))
		}
	}
}

// text makes over: every part once, in some order, with some digest.
func (m *maker) text() {
	parts := []string{"id", "at", "body", "url", "method", "path", "query", "url.base"}
	if m.c.isForm {
		parts = append(parts, "form")
	}
	m.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for i, p := range parts {
		digest := []string{"", ".sha256", ".sha1", ".md5", ".crc32"}[m.r.IntN(5)]
		parts[i] = "{" + p + digest + []string{".hex", ".base64", ""}[m.r.IntN(3)] + "}"
	}
	m.over = parts
	m.rule.Over = strings.Join(parts, []string{"", ".", "\n", ":"}[m.r.IntN(4)])
}

// call signs.
func (m *maker) call() *signature.Call {
	message := m.rule.Over
	for _, p := range m.over {
		message = strings.Replace(message, p, m.resolve(strings.Trim(p, "{}")), 1)
	}
	m.c.proof = m.sign([]byte(message))
	return m.c.request()
}

// resolve is the test's own reading of a name.
func (m *maker) resolve(name string) string {
	base, rest, _ := strings.Cut(name, ".")
	raw := ""
	switch {
	case name == "url.base" || strings.HasPrefix(name, "url.base."):
		raw, rest = m.c.base, strings.TrimPrefix(strings.TrimPrefix(name, "url.base"), ".")
	case base == "url":
		raw = m.c.base + m.c.target()
	case base == "body":
		raw = string(m.c.body())
	case base == "method":
		raw = m.c.method
	case base == "path":
		raw = m.c.path
	case base == "query":
		raw = encodePairs(m.c.query)
	case base == "form":
		raw = m.sortedForm()
	default:
		raw = m.vals[base]
	}
	for _, word := range strings.Split(rest, ".") {
		raw = transform(raw, word)
	}
	return raw
}

func (m *maker) sortedForm() string {
	list := append([]pairOf(nil), m.c.form...)
	sort.Slice(list, func(i, j int) bool { return list[i].name+"\x00"+list[i].value < list[j].name+"\x00"+list[j].value })
	s := ""
	for _, p := range list {
		s += p.name + p.value
	}
	return s
}

func transform(raw, word string) string {
	switch word {
	case "sha256":
		sum := sha256.Sum256([]byte(raw))
		return string(sum[:])
	case "sha1":
		sum := sha1.Sum([]byte(raw))
		return string(sum[:])
	case "md5":
		sum := md5.Sum([]byte(raw))
		return string(sum[:])
	case "crc32":
		b, _ := hex.DecodeString(fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(raw))))
		return string(b)
	case "hex":
		return hex.EncodeToString([]byte(raw))
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(raw))
	}
	return raw
}

func (m *maker) copy() *call {
	c := *m.c
	c.query, c.form = append([]pairOf(nil), m.c.query...), append([]pairOf(nil), m.c.form...)
	c.headers, c.fields = map[string]string{}, map[string]string{}
	for k, v := range m.c.headers {
		c.headers[k] = v
	}
	for k, v := range m.c.fields {
		c.fields[k] = v
	}
	c.proof = append([]byte(nil), m.c.proof...)
	return &c
}

// flipped is s with its lowest bit of one byte changed, in letters and digits.
func flipped(s string) string {
	b := []byte(s)
	b[len(b)-1] ^= 1
	return string(b)
}

// changes lists the changes of one bit.
func (m *maker) changes() map[string]func(*call) bool {
	list := map[string]func(*call) bool{
		"method": func(c *call) bool { c.method = flipped(c.method); return true },
		"base":   func(c *call) bool { c.base = flipped(c.base); return true },
		"path":   func(c *call) bool { c.path = flipped(c.path); return true },
		"proof":  func(c *call) bool { c.proof[m.r.IntN(len(c.proof))] ^= 1 << m.r.IntN(8); return true },
	}
	for i := range m.c.query {
		list["query "+m.c.query[i].name] = func(c *call) bool { c.query[i].value = flipped(c.query[i].value); return true }
	}
	for range 5 {
		at := m.r.IntN(len(m.c.body()))
		list["body "+strconv.Itoa(at)] = func(c *call) bool { c.flip = at; return true }
	}
	for name := range m.c.headers {
		if name == "X-At" || name == "X-at" || name == "X-id" {
			list["header "+name] = func(c *call) bool { return m.flipValue(c, name) }
		}
	}
	return list
}

// flipValue changes the value itself, not what stands around it.
func (m *maker) flipValue(c *call, name string) bool {
	value := m.vals[strings.TrimPrefix(name, "X-")]
	c.headers[name] = strings.Replace(c.headers[name], value, flipped(value), 1)
	return true
}
