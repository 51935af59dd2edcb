package configs

import (
	"coatcheck/configs/keypath"
)

// Position is a place in the configuration file; lines and columns count from 1.
type Position struct{ Line, Column int }

// Source tells where each value of a configuration stood in its file, by key
// path: "frontends.shop.routes[0].path". The zero value knows nothing.
type Source struct {
	file      string
	positions map[string]Position
	variables map[string]bool // paths whose value came, in part, out of ${…}
}

// NewSource makes a source for a file's name, where its values stood, and the paths of
// those that came, in part, out of ${…}.
func NewSource(file string, positions map[string]Position, variables map[string]bool) *Source {
	return &Source{file: file, positions: positions, variables: variables}
}

// File is the name of the file as it was given to its reader.
func (s *Source) File() string {
	if s == nil {
		return ""
	}
	return s.file
}

// Has reports whether the file itself gives a value for path, so that a default can be distinguished from it.
func (s *Source) Has(path string) bool {
	if s == nil {
		return false
	}
	_, ok := s.positions[path]
	return ok
}

// At returns where the value of path stands, or, where the file says nothing
// about it, its nearest parent that stands there.
func (s *Source) At(path string) Position {
	if s == nil {
		return Position{}
	}
	for {
		if at, ok := s.positions[path]; ok || path == "" {
			return at
		}
		path = keypath.Parent(path)
	}
}

// FromVariable reports whether the value of path came, in part, out of ${…}.
// Nobody prints such a value.
func (s *Source) FromVariable(path string) bool { return s != nil && s.variables[path] }
