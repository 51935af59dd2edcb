package apikey

import (
	"encoding/base64"
	"net/url"
	"strings"

	"coatcheck/bff/credential"
)

// Places says where keys are read.
type Places struct {
	Bearer, Basic bool     // in Authorization (RFC 6750 §2.1, RFC 7617)
	Headers       []string // names, in any case
	Queries       []string // only by name
}

// Presented is a value that stood where keys are read. Right or wrong, it is a
// credential: who sends one is no anonymous caller and no session.
type Presented struct {
	Place string            // bearer, basic, header X-Api-Key, query api_key
	Value credential.Secret // as it was sent
}

// Headers is how the fields of a call are read; net/http.Header is one.
type Headers interface{ Values(name string) []string }

// Read returns everything that stands where keys are read, empty values left out.
// More than one is the caller's mistake (two_credentials); a header or parameter
// that stands twice counts twice. An Authorization of another scheme is none.
func (p Places) Read(h Headers, target string) []Presented {
	list := p.authorization(h)
	for _, name := range p.Headers {
		for _, value := range h.Values(name) {
			list = add(list, "header "+name, strings.Trim(value, " \t"))
		}
	}
	for _, name := range p.Queries {
		for _, value := range queryValues(target, name) {
			list = add(list, "query "+name, value)
		}
	}
	return list
}

func add(list []Presented, place, value string) []Presented {
	if value == "" {
		return list
	}
	return append(list, Presented{place, credential.NewSecret(value)})
}

// authorization reads RFC 6750 §2.1 and RFC 7617.
func (p Places) authorization(h Headers) []Presented {
	var list []Presented
	for _, line := range h.Values("Authorization") {
		scheme, rest, _ := strings.Cut(strings.Trim(line, " \t"), " ")
		rest = strings.Trim(rest, " ")
		switch {
		case p.Bearer && strings.EqualFold(scheme, "Bearer"):
			list = add(list, "bearer", rest)
		case p.Basic && strings.EqualFold(scheme, "Basic"):
			list = add(list, "basic", basicKey(rest))
		}
	}
	return list
}

// basicKey is the password, with any user name, or the user name where the password is
// empty. What is not base64 is a wrong key.
func basicKey(encoded string) string {
	plain, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return encoded
	}
	user, password, _ := strings.Cut(string(plain), ":")
	if password == "" {
		return user
	}
	return password
}

// queryValues returns the values of the parameters called name, also where its
// letters are escaped.
func queryValues(target, name string) []string {
	_, query, _ := strings.Cut(target, "?")
	var values []string
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); isNamed(key, name) {
			if plain, err := url.QueryUnescape(value); err == nil {
				value = plain
			}
			values = append(values, value)
		}
	}
	return values
}

func isNamed(key, name string) bool {
	if key == name {
		return true
	}
	plain, err := url.QueryUnescape(key)
	return err == nil && plain == name
}

// CutQuery returns target without the parameters in which keys are read, for
// forwarding and logging. The others stay as they came, byte for byte.
func (p Places) CutQuery(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found || len(p.Queries) == 0 {
		return target
	}
	var kept []string
	cut := false
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if p.isQuery(key) {
			cut = true
			continue
		}
		kept = append(kept, part)
	}
	switch {
	case !cut:
		return target
	case len(kept) == 0:
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}

func (p Places) isQuery(key string) bool {
	for _, name := range p.Queries {
		if isNamed(key, name) {
			return true
		}
	}
	return false
}
