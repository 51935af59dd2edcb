package proxy

import (
	"net/url"
	"strings"

	"coatcheck/bff/http1"
)

// insufficient is the error by which an API says that the person must sign in more
// strongly, or anew (RFC 9470 §3).
const insufficient = "insufficient_user_authentication"

// stepUp reads the API's demand for a stronger sign-in out of its WWW-Authenticate,
// which itself never reaches the browser. It is written as the parameters of GET
// /bff/login, so that a page can go there with it; empty: there is no demand.
func stepUp(fields []http1.Field) string {
	for i := range fields {
		if !http1.EqualFold(fields[i].Name, "www-authenticate") {
			continue
		}
		p := challenge(string(fields[i].Value))
		if p["error"] != insufficient {
			continue
		}
		query := url.Values{}
		if acr := p["acr_values"]; acr != "" && len(acr) <= 512 {
			query.Set("acr", acr)
		}
		if age := p["max_age"]; age != "" && len(age) <= 9 && strings.Trim(age, "0123456789") == "" {
			query.Set("max_age", age)
		}
		return query.Encode()
	}
	return ""
}

// challenge reads the parameters of a challenge (RFC 9110 §11.2): token = token or
// quoted-string, between commas. What cannot be read ends the reading.
func challenge(s string) map[string]string {
	p := map[string]string{}
	_, s, _ = strings.Cut(s, " ") // the scheme
	for {
		name, rest, ok := strings.Cut(strings.TrimLeft(s, " \t,"), "=")
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || !http1.IsToken([]byte(name)) {
			return p
		}
		value, rest, ok := paramValue(strings.TrimLeft(rest, " \t"))
		if !ok {
			return p
		}
		if _, twice := p[name]; !twice {
			p[name] = value
		}
		s = rest
	}
}

// paramValue reads a token or a quoted-string that s begins with.
func paramValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s+",", " \t,")
		return s[:end], s[end:], end > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}
