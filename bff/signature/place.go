package signature

import (
	"encoding/base64"
	"mime"
	"strings"
)

// reading is one call as one rule reads it.
type reading struct {
	call   *Call
	whole  bool              // whether the body has been read
	over   map[string][]byte // replaces what names mean; for Explain
	base   string            // of {url}
	claims []byte            // of the verified JWT; nil before
	values map[string]string // what was taken
	hmac   func([]byte) []byte
}

// path and query of the target, as they came.
func (r *reading) path() string  { path, _, _ := strings.Cut(r.call.Target, "?"); return path }
func (r *reading) query() string { _, query, _ := strings.Cut(r.call.Target, "?"); return query }

// form returns the body of a form.
func (r *reading) form() (string, error) {
	types := r.call.Header.Values("Content-Type")
	if len(types) != 1 {
		return "", NotForm
	}
	media, _, err := mime.ParseMediaType(types[0])
	if err != nil || media != "application/x-www-form-urlencoded" {
		return "", NotForm
	}
	if !r.whole {
		return "", needsBody
	}
	return string(r.call.Body), nil
}

// all returns every value that stands at p, in its order, empty ones left out.
func (r *reading) all(p *Place) ([]value, error) {
	found, err := r.raw(p)
	if err != nil {
		return nil, err
	}
	var list []value
	for _, v := range found {
		if len(v.text) > MaxValue {
			return nil, Malformed
		}
		if list, err = p.parts(list, v); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// raw returns what stands at p before it is cut.
func (r *reading) raw(p *Place) ([]value, error) {
	switch {
	case p.Pointer != nil:
		return r.pointed(*p.Pointer)
	case p.Header != "":
		return r.header(p.Header)
	case p.Query != "":
		return named(r.query(), p.Query)
	case p.Form != "":
		body, err := r.form()
		if err != nil {
			return nil, err
		}
		return named(body, p.Form)
	case p.Basic != "":
		return r.basic(p.Basic)
	}
	return r.claim(p.Claim)
}

func (r *reading) pointed(pointer string) ([]value, error) {
	if !r.whole {
		return nil, needsBody
	}
	return one(lookup(r.call.Body, pointer))
}

func (r *reading) claim(name string) ([]value, error) {
	if r.claims == nil {
		return nil, needsBody
	}
	return one(lookup(r.claims, pointerOf(name)))
}

// one makes a list of a value, which is empty where nothing stood there.
func one(v value, err error) ([]value, error) {
	if err == Missing { //nolint:errorlint // our own, never wrapped
		return nil, nil
	}
	return []value{v}, err
}

func (r *reading) header(name string) ([]value, error) {
	var list []value
	for _, line := range r.call.Header.Values(name) {
		list = append(list, value{text, strings.Trim(line, " \t")})
	}
	return list, nil
}

// basic reads Authorization: Basic (RFC 7617).
func (r *reading) basic(part string) ([]value, error) {
	lines := r.call.Header.Values("Authorization")
	var list []value
	for _, line := range lines {
		scheme, encoded, _ := strings.Cut(line, " ")
		if !strings.EqualFold(scheme, "Basic") {
			continue
		}
		plain, err := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
		if err != nil {
			return nil, Malformed
		}
		user, password, _ := strings.Cut(string(plain), ":")
		if part == "user" {
			password = user
		}
		list = append(list, value{text, password})
	}
	return list, nil
}

// parts cuts v by Split and keeps what begins with Prefix.
func (p *Place) parts(list []value, v value) ([]value, error) {
	if p.Split == "" {
		return p.kept(list, v)
	}
	if strings.Count(v.text, p.Split) >= MaxPairs {
		return nil, TooMany
	}
	var err error
	for part := range strings.SplitSeq(v.text, p.Split) {
		if list, err = p.kept(list, value{text, strings.Trim(part, " \t")}); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (p *Place) kept(list []value, v value) ([]value, error) {
	rest, ok := strings.CutPrefix(v.text, p.Prefix)
	if !ok || rest == "" && v.kind == text {
		return list, nil
	}
	if len(list) > MaxProofs {
		return nil, TooMany
	}
	return append(list, value{v.kind, rest}), nil
}

// single returns the one text or number at p.
func (r *reading) single(p *Place) (value, error) {
	list, err := r.all(p)
	switch {
	case err != nil:
		return value{}, err
	case len(list) == 0:
		return value{}, Missing
	case len(list) > 1:
		return value{}, Twice
	case list[0].kind == null || list[0].kind == composite:
		return value{}, Malformed
	}
	return list[0], nil
}
