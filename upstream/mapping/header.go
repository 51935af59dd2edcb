package mapping

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// header fills in all headers: ours, then `send`, then basic, then the request's
// own, each replacing those before.
func (r *Request) header(agent string, send Send, v *Values) (http.Header, error) {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {agent}}
	v.Caller.forward(h)
	if _, ok := r.Body.Value(); ok {
		h.Set("Content-Type", "application/json")
		if r.IsForm() {
			h.Set("Content-Type", "application/x-www-form-urlencoded")
		}
	}
	if err := fill(h, send.Headers, v); err != nil {
		return nil, err
	}
	if line := send.AppendCookies(nil, v.Credential, v.Caller, nil); len(line) > 0 {
		h.Set("Cookie", string(line))
	}
	if err := r.authorize(h, v); err != nil {
		return nil, err
	}
	return h, fill(h, SortHeaders(r.Headers), v)
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
func fill(h http.Header, list Headers, v *Values) error {
	for _, p := range list {
		filled, err := p.Value.appendTo(nil, v, putHeader(p.Name))
		if errors.Is(err, errNoValue) {
			continue
		}
		if err != nil {
			return err
		}
		h.Set(p.Name, string(filled))
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
		if v.fromAPI || cookie {
			return dst, ok && IsCredentialText(dst[start:])
		}
		return dst, ok && isFieldText(dst[start:])
	}
}

// authorize sets HTTP Basic. A client's id and secret are form-encoded first
// (RFC 6749 §2.3.1); a person's name and password are not (RFC 7617 §2).
func (r *Request) authorize(h http.Header, v *Values) error {
	if len(r.Basic) == 0 {
		return nil
	}
	var both [2]string
	for i, t := range r.Basic {
		filled, err := t.appendTo(nil, v, func(dst []byte, v value) ([]byte, bool) { return v.appendText(dst) })
		if err != nil {
			return err
		}
		both[i] = string(filled)
	}
	if r.Basic[0].IsConstant() && r.Basic[1].IsConstant() {
		both[0], both[1] = url.QueryEscape(both[0]), url.QueryEscape(both[1])
	} else if strings.Contains(both[0], ":") {
		return unfit{}
	}
	h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(both[0]+":"+both[1])))
	return nil
}
