package mapping

import (
	"encoding/base64"
	"strings"
	"time"
)

// Claims reads the payload of a JWT (RFC 7519). The signature is not verified,
// and need not be: the token came from the API itself, over TLS, and nothing is
// allowed because of its claims; they only say whom the API thinks it signed in.
func Claims(token string) (map[string]any, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, false
	}
	doc, _ := Decode(payload)
	object, ok := doc.(map[string]any)
	return object, ok
}

// jwtExpiry is the exp of a token that is a JWT; zero where there is none, or one
// that no calendar holds.
func jwtExpiry(token string) time.Time {
	object, _ := Claims(token)
	exp, ok := object["exp"]
	if !ok {
		return time.Time{}
	}
	end, err := readDate(exp, false)
	if err != nil {
		return time.Time{}
	}
	return end
}
