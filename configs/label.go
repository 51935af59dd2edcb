package configs

import "strings"

// isLabel reports whether s can stand in keys, headers and metrics as it is.
func isLabel(s string) bool {
	return s != "" && len(s) <= 64 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
