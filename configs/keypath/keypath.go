// Package keypath writes and cuts the paths of keys in a configuration file:
// frontends.shop.routes[0].path.
package keypath

import (
	"strconv"
	"strings"
)

// Child is the key path of keys, one below the other, below path. Keys that hold
// a separator are quoted.
func Child(path string, keys ...string) string {
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

// Item is the key path of the i-th item of the list at path.
func Item(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// Parent cuts the last element off a key path.
func Parent(path string) string {
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
