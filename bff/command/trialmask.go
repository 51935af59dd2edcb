package command

import (
	"encoding/json"
	"fmt"
	"time"

	"coatcheck/bff/credential"
)

// tokensOf says which tokens there are, and for how long.
func tokensOf(c *credential.Credential) string {
	text := "access token " + mask(c.Value(credential.AccessToken).Reveal())
	if c.CanRefresh() {
		text += ", refresh token " + mask(c.Value(credential.RefreshToken).Reveal())
	}
	if c.Expires.IsZero() {
		return text + "; it does not say how long it lasts"
	}
	return text + fmt.Sprintf("; lasts %d s", int(time.Until(c.Expires).Seconds()))
}

// mask shows the length of a text only.
func mask(s string) string {
	if s == "" {
		return ""
	}
	return fmt.Sprintf("[text, %d]", len(s))
}

// maskJSON shows what kind of value it is.
func maskJSON(raw json.RawMessage) string {
	var v any
	_ = json.Unmarshal(raw, &v) // it was decoded before
	switch v := v.(type) {
	case string:
		return mask(v)
	case []any:
		return fmt.Sprintf("[list, %d]", len(v))
	case map[string]any:
		return fmt.Sprintf("[object, %d]", len(v))
	case float64:
		return "[number]"
	}
	return string(raw) // true, false, null
}
