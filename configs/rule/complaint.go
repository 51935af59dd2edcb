// Package rule holds the texts of a configuration against their rules: origins, hosts,
// paths, addresses of stores and listeners, methods, names. A [Complaint] says what is
// wrong and, where that can be guessed, what to write instead.
package rule

import (
	"strings"
)

// settled makes the hint of a complaint about s hold: a hint that is a value itself is
// checked like one, and goes on to the hint of that, until nothing is wrong with it.
// Where that leads nowhere there is no hint. An instruction, such as "list each
// origin", stays as it is.
func settled(s string, c Complaint, check func(string) Complaint) Complaint {
	for range 8 { // more mistakes than one value can hold
		if c.Hint == "" || isInstruction(s, c.Hint) {
			return c
		}
		next := check(c.Hint)
		if !next.Is() {
			return c
		}
		if isInstruction(s, next.Hint) {
			break
		}
		c.Hint = next.Hint
	}
	c.Hint = ""
	return c
}

// isInstruction reports whether a hint is words for a person, not a value.
func isInstruction(s, hint string) bool {
	return strings.Contains(hint, " ") && !strings.Contains(s, " ")
}

// Complaint is what is wrong with a value, and what to write instead. Its zero
// value is "nothing".
type Complaint struct{ Message, Hint string }

// Is reports whether something is wrong.
func (c Complaint) Is() bool { return c.Message != "" }
