// Package sample makes a call as the provider of a signature scheme would send it, so
// that an operator can try a configuration without the provider. What it makes is held
// against the scheme's own verifier: a sample that does not verify is none.
package sample

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/signature"
)

// Options say where the sample goes.
type Options struct {
	// Method, Path (absolute, without a query) and Base, the frontend's origin.
	Method, Path, Base string
	// Now is the time that it is signed at.
	Now time.Time
}

// Sample is a signed call.
type Sample struct {
	// Method, Target, Header and Body are the call as a sender would make it.
	Method, Target string
	Header         http.Header
	Body           []byte
	// Rule of the scheme that it fits.
	Rule int
}

// maker puts a sample together.
type maker struct {
	options Options
	serial  string // tells samples apart
	check   *signature.Verifier
	index   int
	rule    *signature.Rule

	object map[string]any // a JSON body
	form   url.Values     // a form body
	query  []string       // parts of the query
	header http.Header
	basic  [2]string
	claims map[string]any
	parts  map[string][]string // of headers that hold several values
}

// Make makes a sample for the first rule of a scheme that one can be made for.
func Make(s signature.Scheme, o Options) (*Sample, error) {
	v, faults := signature.Compile(s)
	if v == nil {
		return nil, faults[0]
	}
	var first error
	for i := range s.Rules {
		m := &maker{options: o, serial: "coatcheck try " + rand.Text()[:12], check: v, index: i, rule: &s.Rules[i], object: map[string]any{}, form: url.Values{},
			header: http.Header{}, claims: map[string]any{}, parts: map[string][]string{}}
		made, err := m.make()
		if err == nil {
			return made, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func (m *maker) make() (*Sample, error) {
	for _, name := range slices.Sorted(maps.Keys(m.rule.Take)) {
		m.put(m.rule.Take[name], m.value(name))
	}
	for _, l := range m.rule.Admit {
		if text, fixed := wanted(l); fixed && l.At.Claim == "" {
			m.put(*l.At, text)
		}
	}
	if err := m.dependent(); err != nil {
		return nil, err
	}
	claims, err := m.signedClaims()
	if err != nil {
		return nil, err
	}
	proof, err := m.check.Sign(m.index, m.call(), claims)
	if err != nil {
		return nil, err
	}
	m.put(m.rule.Proof.Place, proof)
	c := m.call()
	found, err := m.check.Verify(c, m.options.Now)
	if err != nil {
		return nil, fmt.Errorf("a sample of this scheme cannot be made: %w", err)
	}
	return &Sample{Method: c.Method, Target: c.Target, Header: m.headers(), Body: c.Body, Rule: found.Rule}, nil
}

// value is what a taken value is in a sample: a time where it must be fresh, else a text
// that no other sample has.
func (m *maker) value(name string) string {
	f, isTime := m.rule.Fresh[name]
	now := m.options.Now
	switch {
	case !isTime:
		return "sample-" + rand.Text()[:12]
	case f.Unit == "ms":
		return strconv.FormatInt(now.UnixMilli(), 10)
	case f.Unit == "rfc3339":
		return now.UTC().Format(time.RFC3339)
	case f.Unit == "http":
		return now.UTC().Format(http.TimeFormat)
	}
	return strconv.FormatInt(now.Unix(), 10)
}

// wanted is a value that a line takes; fixed is false where it depends on the call.
func wanted(l signature.Line) (value any, fixed bool) {
	if l.Is == nil {
		return "sample", true
	}
	text, isText := l.Is[0].(string)
	if !isText {
		return l.Is[0], true
	}
	if len(text) > 1 {
		text = strings.Trim(text, "*")
	}
	if strings.Contains(strings.ReplaceAll(text, "{{", ""), "{") {
		return text, false
	}
	return strings.ReplaceAll(text, "{{", "{"), true
}

// dependent puts what depends on the rest of the call, such as a digest of the body in
// the query.
func (m *maker) dependent() error {
	for _, l := range m.rule.Admit {
		value, fixed := wanted(l)
		if fixed || l.At.Claim != "" {
			continue
		}
		text, err := m.check.Fill(m.index, value.(string), m.call())
		if err != nil {
			return err
		}
		m.put(*l.At, text)
	}
	return nil
}

// signedClaims are those that a JWT of the rule must have.
func (m *maker) signedClaims() ([]byte, error) {
	if m.rule.By != signature.JWT {
		return nil, nil
	}
	for _, l := range m.rule.Admit {
		if l.At.Claim == "" {
			continue
		}
		value, fixed := wanted(l)
		if !fixed {
			text, err := m.check.Fill(m.index, value.(string), m.call())
			if err != nil {
				return nil, err
			}
			value = text
		}
		set(m.claims, l.At.Claim, value)
	}
	m.claims["exp"] = m.options.Now.Add(time.Minute).Unix()
	return json.Marshal(m.claims)
}

// put puts a value where a place is.
func (m *maker) put(p signature.Place, value any) {
	text := fmt.Sprint(value)
	if value == nil {
		text = ""
	}
	switch {
	case p.Pointer != nil:
		if s, isText := value.(string); isText {
			value = p.Prefix + s
		}
		set(m.object, *p.Pointer, value)
	case p.Form != "":
		m.form.Set(p.Form, p.Prefix+text)
	case p.Query != "":
		m.query = append(m.query, url.QueryEscape(p.Query)+"="+url.QueryEscape(p.Prefix+text))
	case p.Claim != "":
		set(m.claims, p.Claim, value)
	case p.Basic == "user":
		m.basic[0] = text
	case p.Basic != "":
		m.basic[1] = text
	case p.Split != "":
		name := http.CanonicalHeaderKey(p.Header)
		m.parts[name] = append(m.parts[name], p.Prefix+text)
		m.header.Set(name, strings.Join(m.parts[name], p.Split))
	default:
		m.header.Set(p.Header, p.Prefix+text)
	}
}

// set puts a value into an object, at a name or a pointer (RFC 6901).
func set(object map[string]any, at string, value any) {
	tokens := []string{at}
	if strings.HasPrefix(at, "/") {
		tokens = strings.Split(at[1:], "/")
	}
	for i, token := range tokens {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		if i == len(tokens)-1 {
			object[token] = value
			return
		}
		inner, ok := object[token].(map[string]any)
		if !ok {
			inner = map[string]any{}
			object[token] = inner
		}
		object = inner
	}
}

// isForm reports whether the rule reads a form.
func (m *maker) isForm() bool {
	return len(m.form) > 0 || strings.Contains(m.rule.Over+m.rule.Once, "{form")
}

func (m *maker) body() []byte {
	if m.isForm() {
		m.form.Set("sample", m.serial)
		return []byte(m.form.Encode())
	}
	m.object["sample"] = m.serial
	body, _ := json.Marshal(m.object) // text, numbers and objects: cannot fail
	return body
}

func (m *maker) headers() http.Header {
	h := m.header.Clone()
	h.Set("Content-Type", "application/json")
	if m.isForm() {
		h.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if m.basic != [2]string{} {
		r := http.Request{Header: h}
		r.SetBasicAuth(m.basic[0], m.basic[1])
	}
	return h
}

func (m *maker) call() *signature.Call {
	target, body := m.options.Path, m.body()
	if len(m.query) > 0 {
		target += "?" + strings.Join(m.query, "&")
	}
	return &signature.Call{Method: m.options.Method, Target: target, Base: m.options.Base, Header: m.headers(), Body: body, Length: int64(len(body))}
}
