package http1

import (
	"strings"
)

// EachChallenge hands over the challenges in WWW-Authenticate (RFC 9110 §11.6.1), the
// scheme in lower case, until take returns false. One line may hold several. What cannot
// be read ends the reading of its line.
func EachChallenge(fields []Field, take func(scheme string, parameters map[string]string) bool) {
	for i := range fields {
		if !EqualFold(fields[i].Name, "www-authenticate") {
			continue
		}
		for s := string(fields[i].Value); ; {
			scheme, parameters, rest, ok := challenge(s)
			if !ok {
				break
			}
			if !take(scheme, parameters) {
				return
			}
			s = rest
		}
	}
}

// challenge reads the first challenge of s: a scheme, and parameters between commas, each
// token = token or quoted-string (RFC 9110 §11.2). Of two of a name the first counts.
func challenge(s string) (scheme string, parameters map[string]string, rest string, ok bool) {
	scheme, rest = cutToken(strings.TrimLeft(s, " \t,"))
	if scheme == "" {
		return "", nil, "", false
	}
	parameters = map[string]string{}
	for {
		name, after := cutToken(strings.TrimLeft(rest, " \t,"))
		after, is := strings.CutPrefix(strings.TrimLeft(after, " \t"), "=")
		if name == "" || !is {
			return strings.ToLower(scheme), parameters, rest, true // the next challenge, or the end
		}
		value, after, whole := paramValue(strings.TrimLeft(after, " \t"))
		if !whole {
			return strings.ToLower(scheme), parameters, "", true
		}
		if _, twice := parameters[strings.ToLower(name)]; !twice {
			parameters[strings.ToLower(name)] = value
		}
		rest = after
	}
}

// cutToken cuts off the token that s begins with; empty: there is none.
func cutToken(s string) (token, rest string) {
	end := 0
	for end < len(s) && IsToken([]byte(s[end:end+1])) {
		end++
	}
	return s[:end], s[end:]
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
