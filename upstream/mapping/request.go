package mapping

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"coatcheck/upstream"
)

// Request is one request to an API, with {names} to be put in.
type Request struct {
	// Method; POST unless named (GET for user and verify).
	Method string `yaml:"method"`
	// Path below the upstream's URL, as written, with {names}.
	Path string `yaml:"path" required:"true"`
	// Query parameters with {names}; never logged.
	Query map[string]Template `yaml:"query"`
	// Another upstream whose host, TLS and timeouts are used.
	Upstream string `yaml:"upstream"`
	// Client id and secret for HTTP Basic, form-encoded first (RFC 6749 §2.3.1).
	Basic []Template `yaml:"basic"`
	// Headers with {names}; they win over Coatcheck's own.
	Headers map[string]Template `yaml:"headers"`
	// How the body is written.
	Encoding string `yaml:"encoding" default:"json" enum:"json|form"`
	// The body; a value that is exactly {name} is replaced whole.
	Body Body `yaml:"body"`
}

// Faults is what is wrong with the request by itself. What is wrong with the path as a
// path of the file is the business of package configs.
func (r *Request) Faults() []*Fault {
	var faults []*Fault
	if n := len(r.Basic); n != 0 && n != 2 {
		faults = append(faults, &Fault{"basic", "an id and a secret are needed, two values", "[\"${ID}\", \"${SECRET}\"]"})
	}
	if body, ok := r.Body.Value(); ok && r.IsForm() && !isFlat(body) {
		faults = append(faults, &Fault{"body", "a form holds text, numbers and lists of them, nothing nested", "encoding: json"})
	}
	return faults
}

// CheckPath refuses a path that would not arrive as written; nil: it is one.
func (r *Request) CheckPath() *Fault {
	if _, whole := r.path().Whole(); whole {
		return nil
	}
	if !strings.HasPrefix(r.Path, "/") || strings.ContainsAny(r.Path, "?#\\") || !isFieldText([]byte(r.Path)) {
		return &Fault{"path", "a path begins with / and has no ?, # or backslash", ""}
	}
	return nil
}

// IsForm reports whether the body is written as application/x-www-form-urlencoded.
func (r *Request) IsForm() bool { return r.Encoding == "form" }

func (r *Request) path() Template { return NewTemplate(r.Path) }

// WireNames are the names that the request puts somewhere else than into its body.
func (r *Request) WireNames() []string {
	if r == nil {
		return nil
	}
	names := r.path().Names()
	for _, list := range []map[string]Template{r.Query, r.Headers} {
		for _, t := range list {
			names = append(names, t.Names()...)
		}
	}
	for _, t := range r.Basic {
		names = append(names, t.Names()...)
	}
	return names
}

// Names are all {names} of the request, repetitions included, in no order.
func (r *Request) Names() []string {
	if r == nil {
		return nil
	}
	body, _ := r.Body.Value()
	return append(r.WireNames(), bodyNames(body)...)
}

// Filled is a request with every value put in, ready to be sent.
type Filled struct {
	// Method and URL are the request line's.
	Method, URL string
	// Header is the whole header but for what the connection and the body's length need.
	Header http.Header
	// Body is nil where there is none.
	Body []byte
}

// Fill puts values into the request, to go to an API at an address. agent is the
// User-Agent, send what carries the person; what the request says itself wins over it.
//
// It fails with [upstream.ErrInvalid], or with a *[Refusal], [InvalidCredentials], where
// what a person typed cannot be sent: no account has such a name or password.
func (r *Request) Fill(to *upstream.Address, agent string, send Send, v *Values) (*Filled, error) {
	target, err := r.url(to, send.Query, v)
	if err != nil {
		return nil, cannotFill(err)
	}
	header, err := r.header(agent, send, v)
	if err != nil {
		return nil, cannotFill(err)
	}
	return &Filled{r.Method, target, header, r.payload(v)}, nil
}

// cannotFill says why a request could not be made.
func cannotFill(err error) error {
	var u unfit
	if errors.As(err, &u) && !u.fromAPI {
		return &Refusal{Meaning: InvalidCredentials}
	}
	return Invalid("request cannot be made: %w", err)
}

// url fills in path and query.
func (r *Request) url(to *upstream.Address, send Headers, v *Values) (string, error) {
	path, err := r.fillPath(to, v)
	if err != nil {
		return "", err
	}
	target := append([]byte(to.Origin()), path...)
	separator := byte('?')
	if strings.Contains(path, "?") {
		separator = '&'
	}
	for _, p := range append(send.Unnamed(r.Query), SortHeaders(r.Query)...) {
		filled, err := p.Value.appendTo(nil, v, putQuery)
		if errors.Is(err, errNoValue) {
			continue
		}
		if err != nil {
			return "", err
		}
		target = append(append(target, separator), url.QueryEscape(p.Name)+"="+url.QueryEscape(string(filled))...)
		separator = '&'
	}
	return string(target), nil
}

// putQuery puts a value into a query; escaping comes after.
func putQuery(dst []byte, v value) ([]byte, bool) {
	start := len(dst)
	dst, ok := v.appendText(dst)
	return dst, ok && (!v.fromAPI || IsCredentialText(dst[start:]))
}
