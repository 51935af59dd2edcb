package configs

import "strings"

// settled makes the hint of a complaint about s hold: a hint that is a value itself is
// checked like one, and goes on to the hint of that, until nothing is wrong with it.
// Where that leads nowhere there is no hint. An instruction, such as "list each
// origin", stays as it is.
func settled(s string, c complaint, check func(string) complaint) complaint {
	for range 8 { // more mistakes than one value can hold
		if c.hint == "" || isInstruction(s, c.hint) {
			return c
		}
		next := check(c.hint)
		if !next.is() {
			return c
		}
		if isInstruction(s, next.hint) {
			break
		}
		c.hint = next.hint
	}
	c.hint = ""
	return c
}

// isInstruction reports whether a hint is words for a person, not a value.
func isInstruction(s, hint string) bool {
	return strings.Contains(hint, " ") && !strings.Contains(s, " ")
}

// complaint is what is wrong with a value, and what to write instead. Its zero
// value is "nothing".
type complaint struct{ message, hint string }

func (c complaint) is() bool { return c.message != "" }
