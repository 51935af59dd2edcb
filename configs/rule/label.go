package rule

import (
	"strings"
)

// IsLabel reports whether s can stand in keys, headers and metrics as it is.
func IsLabel(s string) bool {
	return s != "" && len(s) <= 64 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
