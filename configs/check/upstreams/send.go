package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// send checks what carries a person on calls.
func (ck upstreamCheck) send(path string, u *configs.Upstream) {
	ck.sticky(child(path, "sticky"), u)
	if u.Send == nil {
		return
	}
	at := child(path, "send")
	ck.headers(child(at, "headers"), u.Send.Headers)
	ck.hidden(child(at, "hide"), u.Send.Hide)
	ck.sendQuery(child(at, "query"), u.Send.Query)
	ck.sendCookie(at, u)
	ck.sendSocket(child(at, "socket", "json"), u.Send)
	for key, values := range map[string]map[string]mapping.Template{"headers": u.Send.Headers, "query": u.Send.Query, "cookie": u.Send.Cookie} {
		for name, value := range values {
			for _, used := range value.Names() {
				ck.carried(child(at, key, name), u, used)
			}
		}
	}
	for _, used := range mapping.MessageNames(u.Send.Message()) {
		ck.carried(child(at, "socket", "json"), u, used)
	}
}

func (ck upstreamCheck) hidden(path string, names []string) {
	for i, name := range names {
		switch {
		case strings.Contains(name, "*"):
			ck.Refuse(item(path, i), "no wildcards for headers", "list each header")
		case !http1.IsToken([]byte(name)):
			ck.Refuse(item(path, i), "not a valid header name", "")
		}
	}
}

// sendQuery checks parameters of the query. Names are compared without regard to case,
// because many an API reads them so.
func (ck upstreamCheck) sendQuery(path string, parameters map[string]mapping.Template) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		at, lower := child(path, name), strings.ToLower(name)
		switch {
		case name == "" || rule.HasControl(name) || strings.ContainsAny(name, "[]"):
			ck.Refuse(at, "not a valid parameter name", "letters, digits, \"_\" and \"-\"")
		case seen[lower]:
			ck.Refuse(at, "duplicate parameter: APIs may ignore the case of names", "")
		case rule.HasControl(parameters[name].Reveal()):
			ck.Refuse(at, "a parameter value must not contain a line break or control character", "")
		}
		seen[lower] = true
	}
}

// sendCookie checks cookies that go to the API (RFC 6265 §4.1.1).
func (ck upstreamCheck) sendCookie(path string, u *configs.Upstream) {
	s, at := u.Send, child(path, "cookie")
	for name := range s.Headers {
		if strings.EqualFold(name, "Cookie") && len(s.Cookie)+len(u.Sticky) > 0 {
			ck.Refuse(child(path, "headers", name), "send.cookie or sticky make the Cookie line", "send: {cookie: {…}} for this one, too")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Cookie)) {
		value := s.Cookie[name]
		plain := true
		value.Parts(func(constant credential.Secret, name string) {
			plain = plain && (name != "" || rule.IsCookieText(constant.Reveal()))
		})
		switch {
		case !http1.IsToken([]byte(name)):
			ck.Refuse(child(at, name), "not a valid cookie name", "letters, digits, \"_\" and \"-\"")
		case !plain:
			ck.Refuse(child(at, name), "a cookie value must not contain a space, quote, comma, semicolon or backslash", "percent-encode it")
		}
	}
}

// sticky checks the names of a load balancer's cookies. One that knows the person must not
// be among them: callers without a session share what is kept for their address.
func (ck upstreamCheck) sticky(path string, u *configs.Upstream) {
	taken := u.CredentialCookies()
	for i, name := range u.Sticky {
		at := item(path, i)
		switch {
		case !http1.IsToken([]byte(name)):
			ck.Refuse(at, "not a valid cookie name", "AWSALB")
		case slices.Index(u.Sticky, name) < i:
			ck.Refuse(at, "duplicate cookie", "")
		case taken[name] || u.Send != nil && !u.Send.Cookie[name].IsEmpty():
			ck.Refuse(at, "carries the person: it is not a load balancer's alone", "leave it out")
		}
	}
}

// sendSocket checks what is laid over the first message of a WebSocket.
func (ck upstreamCheck) sendSocket(path string, s *configs.Send) {
	if s.Socket == nil {
		return
	}
	value, ok := s.Socket.JSON.Value()
	object, isObject := value.(map[string]any)
	switch {
	case !ok: // it is missing, and reported
	case !isObject || len(object) == 0:
		ck.Refuse(path, "an object is laid over the first message", "{payload: {Authorization: \"Bearer {access_token}\"}}")
	case len(mapping.Encode(value)) > mapping.MaxMessage/2:
		ck.Refuse(path, "larger than half of the 64 KiB that a first message may have", "")
	}
}
