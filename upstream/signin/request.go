package signin

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/configs"
)

// request is a request of the mapping, compiled.
type request struct {
	to     *Upstream // whose host, TLS and connections are used
	method string
	path   template
	query  []pair
	send   []pair // of `send`: all headers, or only those without a {name}
	basic  []template
	header []pair
	body   configs.Body
	form   bool
}

// pair is a header or a query parameter.
type pair struct {
	name string
	text template
}

// pairs compiles templates, in the order of their names.
func pairs(from map[string]configs.Template) []pair {
	var list []pair
	for _, name := range slices.Sorted(maps.Keys(from)) {
		list = append(list, pair{name, parseTemplate(from[name].Reveal())})
	}
	return list
}

// newRequest compiles a request of u's mapping. method is the one where c names none.
func (s *Set) newRequest(u *Upstream, c *configs.Request, method string, send []pair) (*request, error) {
	if c == nil {
		return nil, errors.New("request is missing")
	}
	r := &request{to: u, method: method, path: parseTemplate(c.Path), query: pairs(c.Query),
		send: send, header: pairs(c.Headers), body: c.Body, form: c.Encoding == "form"}
	if c.Method != "" {
		r.method = strings.ToUpper(c.Method)
	}
	if c.Upstream != "" {
		if r.to = s.upstreams[c.Upstream]; r.to == nil {
			return nil, errors.New("request.upstream names no upstream")
		}
	}
	for _, t := range c.Basic {
		r.basic = append(r.basic, parseTemplate(t.Reveal()))
	}
	return r, errors.Join(checkPath(c.Path, r.path), r.checkBasic(), r.checkBody())
}

// checkPath refuses what would not arrive as written.
func checkPath(path string, t template) error {
	if _, whole := t.whole(); whole {
		return nil
	}
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#\\") || !isFieldValue([]byte(path)) {
		return errors.New("path begins with / and has no ?, # or backslash")
	}
	return nil
}

func (r *request) checkBasic() error {
	if len(r.basic) != 0 && len(r.basic) != 2 {
		return errors.New("basic is an id and a secret")
	}
	return nil
}

// wireNames are the names that this request puts somewhere else than into its body.
func (r *request) wireNames() []string {
	names := r.path.names()
	for _, list := range [][]pair{r.query, r.send, r.header} {
		for _, p := range list {
			names = append(names, p.text.names()...)
		}
	}
	for _, t := range r.basic {
		names = append(names, t.names()...)
	}
	return names
}

// names are all names that the request knows.
func (r *request) names() []string {
	body, _ := r.body.Value()
	return append(r.wireNames(), bodyNames(body)...)
}

// url fills in path and query.
func (r *request) url(v *values) (string, error) {
	path, err := r.fillPath(v)
	if err != nil {
		return "", err
	}
	target := append([]byte(r.to.base.Origin()), path...)
	separator := byte('?')
	if strings.Contains(path, "?") {
		separator = '&'
	}
	for _, p := range r.query {
		filled, err := p.text.appendTo(nil, v, putQuery)
		if errors.Is(err, errNoValue) {
			continue
		}
		if err != nil {
			return "", err
		}
		target = append(append(target, separator), url.QueryEscape(p.name)+"="+url.QueryEscape(string(filled))...)
		separator = '&'
	}
	return string(target), nil
}

// putQuery puts a value into a query; escaping comes after.
func putQuery(dst []byte, v value) ([]byte, bool) {
	start := len(dst)
	dst, ok := v.appendText(dst)
	return dst, ok && (!v.taken || isToken(dst[start:]))
}

// headers fills in all headers: ours, then `send`, then basic, then the request's
// own, each going over those before.
func (r *request) headers(v *values) (http.Header, error) {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {r.to.agent}}
	v.caller.forward(h)
	if _, ok := r.body.Value(); ok {
		h.Set("Content-Type", "application/json")
		if r.form {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if err := fill(h, r.send, v); err != nil {
		return nil, err
	}
	if err := r.authorize(h, v); err != nil {
		return nil, err
	}
	return h, fill(h, r.header, v)
}

// forward says who is calling, as proxied calls do.
func (c *Caller) forward(h http.Header) {
	for name, text := range map[string]string{
		"X-Forwarded-For": c.address(), "X-Forwarded-Host": printable(c.ForwardedHost, maxUserAgent),
		"X-Forwarded-Proto": printable(c.ForwardedProto, maxUserAgent), "X-Request-Id": printable(c.RequestID, maxUserAgent),
		"Traceparent": c.TraceParent,
	} {
		if text != "" {
			h.Set(name, text)
		}
	}
}

// fill sets headers; one of which a {name} has no value is left out.
func fill(h http.Header, list []pair, v *values) error {
	for _, p := range list {
		filled, err := p.text.appendTo(nil, v, putHeader(p.name))
		if errors.Is(err, errNoValue) {
			continue
		}
		if err != nil {
			return err
		}
		h.Set(p.name, string(filled))
	}
	return nil
}

// putHeader puts a value into the header name. What an API gave must be a token;
// what a person typed must be so in a cookie, and elsewhere free of control bytes.
func putHeader(name string) func([]byte, value) ([]byte, bool) {
	cookie := strings.EqualFold(name, "Cookie")
	return func(dst []byte, v value) ([]byte, bool) {
		start := len(dst)
		dst, ok := v.appendText(dst)
		if v.taken || cookie {
			return dst, ok && isToken(dst[start:])
		}
		return dst, ok && isFieldValue(dst[start:])
	}
}

// authorize sets HTTP Basic. A client's id and secret are form-encoded first
// (RFC 6749 §2.3.1); a person's name and password are not (RFC 7617 §2).
func (r *request) authorize(h http.Header, v *values) error {
	if len(r.basic) == 0 {
		return nil
	}
	var both [2]string
	for i, t := range r.basic {
		filled, err := t.appendTo(nil, v, func(dst []byte, v value) ([]byte, bool) { return v.appendText(dst) })
		if err != nil {
			return err
		}
		both[i] = string(filled)
	}
	if r.basic[0].constant() && r.basic[1].constant() {
		both[0], both[1] = url.QueryEscape(both[0]), url.QueryEscape(both[1])
	} else if strings.Contains(both[0], ":") {
		return unfit{}
	}
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(both[0]+":"+both[1])))
	return nil
}
