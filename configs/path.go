package configs

import (
	"strconv"
	"strings"
)

// child is the key path of keys, one below the other, below path. Keys that hold
// a separator are quoted.
func child(path string, keys ...string) string {
	for _, key := range keys {
		path = below(path, key)
	}
	return path
}

func below(path, key string) string {
	if quoted := strconv.Quote(key); key == "" || quoted != `"`+key+`"` || strings.ContainsAny(key, ".[] ") {
		return path + "[" + quoted + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// item is the key path of the i-th item of the list at path.
func item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent cuts the last element off a key path.
func parent(path string) string {
	quoted := false
	for i := len(path) - 1; i > 0; i-- {
		switch c := path[i]; {
		case c == '"' && path[i-1] != '\\':
			quoted = !quoted
		case !quoted && (c == '.' || c == '['):
			return path[:i]
		}
	}
	return ""
}
