package headers

import (
	"net/textproto"
	"strings"

	"coatcheck/bff/http1"
)

// Verdict says whether a header passes, and, where it does not, what its name is held
// back for.
type Verdict int

// The zero value holds a header back.
const (
	// Listed stands in a table, or carries a person.
	Listed Verdict = iota
	// Passes is what no rule holds back.
	Passes
	// OddName is not words of letters and digits with one hyphen between them.
	OddName
	// OfCaller speaks of the caller's address, host, scheme, path or identity.
	OfCaller
)

// Rules are tables of rules made ready for looking up. They are safe for concurrent use.
type Rules struct {
	exact   map[string]bool // true: held back; false: ordinary
	usual   map[string]bool // the plain names among them, in the spellings that they usually have
	begins  map[string]bool // beginnings that end in a hyphen
	open    []string        // those that end inside a word
	passed  map[string]bool // odd names that pass all the same
	callers bool            // names that speak of the caller are held back
}

// ToAPI are the rules for what goes to an API. more are names, in whatever case, that are
// held back beside the tables; passed are odd names that pass, see [Unpassable].
func ToAPI(more, passed []string) Rules {
	set := newRules(more, hopByHop, toAPI)
	set.callers, set.passed = true, map[string]bool{}
	for _, name := range passed {
		set.passed[strings.ToLower(name)] = true
	}
	return set.ready()
}

// ToBrowser are the rules for what an API answers.
func ToBrowser(more []string) Rules { return newRules(more, hopByHop, toBrowser).ready() }

func newRules(more []string, tables ...[]rule) Rules {
	set := Rules{exact: map[string]bool{}, begins: map[string]bool{}}
	for _, table := range tables {
		for _, r := range table {
			prefix, open := strings.CutSuffix(r.name, "*")
			switch {
			case !open:
				set.exact[r.name] = true
			case strings.HasSuffix(prefix, "-"):
				set.begins[prefix] = true
			default:
				set.open = append(set.open, prefix)
			}
		}
	}
	for _, name := range more {
		set.exact[strings.ToLower(name)] = true
	}
	return set
}

// ready decides about ordinary names once.
func (s Rules) ready() Rules {
	for _, name := range ordinary {
		s.exact[name] = s.Holds([]byte(name))
	}
	s.usual = map[string]bool{}
	for name, held := range s.exact {
		if http1.IsPlainName([]byte(name)) {
			s.usual[name], s.usual[textproto.CanonicalMIMEHeaderKey(name)] = held, held
		}
	}
	return s
}

// Holds reports whether a rule keeps this name back.
func (s *Rules) Holds(name []byte) bool { return s.Judge(name) != Passes }

// Judge says whether a header of this name passes. Names that are not words of letters and
// digits with one hyphen between them do not, but for those that the configuration lets
// through: many servers read "_" and "." as "-", and some fold hyphens.
func (s *Rules) Judge(name []byte) Verdict {
	if held, known := s.usual[string(name)]; known {
		if held {
			return Listed
		}
		return Passes
	}
	var room [64]byte
	lower := append(room[:0], name...)
	for i, c := range lower {
		lower[i] = http1.Lower(c)
	}
	if !http1.IsPlainName(name) {
		if s.passed[string(lower)] {
			return Passes
		}
		return OddName
	}
	held, known := s.exact[string(lower)]
	switch {
	case known && !held:
		return Passes
	case known || s.holdsBeginning(lower):
		return Listed
	case s.callers && speaksOfCaller(lower):
		return OfCaller
	}
	return Passes
}

func (s *Rules) holdsBeginning(lower []byte) bool {
	for i, c := range lower {
		if c == '-' && s.begins[string(lower[:i+1])] {
			return true
		}
	}
	for _, prefix := range s.open {
		if len(lower) >= len(prefix) && string(lower[:len(prefix)]) == prefix {
			return true
		}
	}
	return false
}

// Why says why a header of this name does not go to an API, in a few words; "" where a
// table has nothing against it.
func Why(name string) string {
	lower := strings.ToLower(name)
	for _, table := range [][]rule{hopByHop, toAPI} {
		for _, r := range table {
			if prefix, open := strings.CutSuffix(r.name, "*"); lower == r.name || open && strings.HasPrefix(lower, prefix) {
				return r.why
			}
		}
	}
	if speaksOfCaller([]byte(lower)) {
		return "servers believe it of the caller"
	}
	return ""
}

// Unpassable says why no route may let a header of this name through; "" where one may.
// A name is read as a server might that takes every other character for a hyphen, and
// folds and trims them: what is then held back stays so.
func Unpassable(name string) string {
	words := wordsOf(name)
	for _, reading := range []string{strings.Join(words, "-"), strings.Join(words, "")} {
		if why := Why(reading); why != "" {
			return why
		}
	}
	return ""
}

// SameWords reports whether a server could take two names for one, because it looks at
// their letters and digits only.
func SameWords(a, b string) bool {
	return strings.EqualFold(strings.Join(wordsOf(a), ""), strings.Join(wordsOf(b), ""))
}

func wordsOf(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}
