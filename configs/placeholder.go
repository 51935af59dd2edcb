package configs

import "strings"

// Placeholders returns the names that stand in text as {name}, in their order,
// repetitions included. A name is a letter or "_" and then letters, digits, "_"
// and "-"; a brace that opens no such name is a plain brace.
func Placeholders(text string) []string {
	var names []string
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			return names
		}
		text = text[open+1:]
		if end := strings.IndexByte(text, '}'); end >= 0 && IsName(text[:end]) {
			names = append(names, text[:end])
			text = text[end+1:]
		}
	}
}

// Placeholder returns the name where text is exactly one {name}, as it must be in a [Body].
func Placeholder(text string) (name string, ok bool) {
	if len(text) < 3 || text[0] != '{' || text[len(text)-1] != '}' {
		return "", false
	}
	name = text[1 : len(text)-1]
	return name, IsName(name)
}

// IsName reports whether name can stand in a placeholder, and so name a field or a value.
func IsName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}
