package trial

import (
	"slices"
	"strings"
)

// isSecretKey tells names under which secrets stand.
func isSecretKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"token", "secret", "pass", "jwt", "session", "ticket", "cookie", "otp", "pin", "key", "auth", "csrf", "signature"},
		func(part string) bool { return strings.Contains(key, part) })
}

// isEndKey tells names under which an end stands.
func isEndKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"expir", "ttl", "valid", "lifetime", "maxage", "max_age"},
		func(part string) bool { return strings.Contains(key, part) })
}

// isWords tells an error's code or sentence from a token: short, and no word of it
// as long and as mixed as tokens are.
func isWords(s string) bool {
	if len(s) > 200 {
		return false
	}
	return !slices.ContainsFunc(strings.Fields(s), isOpaque)
}

// isOpaque tells text that may be a token: long, with digits among its letters.
func isOpaque(s string) bool {
	return len(s) >= 20 && strings.ContainsAny(s, "0123456789") || len(s) > 60
}
