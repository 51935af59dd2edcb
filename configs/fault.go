package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Fault is one thing that is wrong, or unwise, in a configuration file. Its text
// never holds the value of a variable, of a file or of a secret.
type Fault struct {
	// File as it was given to its reader.
	File string
	// Line and Column count from 1; 0 where the fault has no place (a file that cannot be read).
	Line, Column int
	// Path of the key: frontends.shop.routes[0].path. Empty where YAML itself is broken.
	Path string
	// Message says what is wrong.
	Message string
	// Hint says what to write instead; may be empty.
	Hint string
	// Warning marks what works but is unwise. All other faults refuse the configuration.
	Warning bool
	// Unset marks a ${NAME} whose variable the environment lacks.
	Unset bool
}

// String writes the fault on one line, the way compilers do:
//
//	coatcheck.yaml:12:5: frontends.shop.cookie.name: message (hint: …)
func (f Fault) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	if f.Warning {
		b.WriteString(": warning")
	}
	if f.Path != "" {
		b.WriteString(": " + f.Path)
	}
	b.WriteString(": " + f.Message)
	if f.Hint != "" {
		b.WriteString(" (hint: " + f.Hint + ")")
	}
	return strings.Map(printable, b.String())
}

// printable keeps what a file holds from moving the cursor of who reads about it.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return '?'
	}
	return r
}

// Refused reports whether faults holds more than warnings.
func Refused(faults []Fault) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool { return !f.Warning })
}

// SortFaults puts faults in the order of the file, so that a person reads it once.
func SortFaults(faults []Fault) {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
}
