package read

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

// errUnset says of a variable that the environment lacks it.
var errUnset = errors.New("is not set")

// maxExpanded bounds the content of a file behind ${file:…}, in bytes.
const maxExpanded = 64 << 10

// sources is where ${…} finds its values.
type sources struct {
	getenv   func(string) (string, bool)
	readFile func(string) ([]byte, error)
	folder   string // relative file names begin here
}

// expand replaces the variables of a text, once: what comes out of a variable
// is text and is never looked at again. used reports whether there were any.
//
//	${NAME}         the environment variable; it must be set
//	${NAME:-text}   text where it is unset or empty; text holds no }
//	${file:PATH}    the file's content without white space at its ends
//	$${             a literal ${
//
// An error's text names the variable or the file, never its value.
func (s sources) expand(text string) (expanded string, used bool, err error) {
	var out strings.Builder
	var faults []error
	for text != "" {
		switch {
		case strings.HasPrefix(text, "$${"):
			out.WriteString("${")
			text = text[3:]
		case strings.HasPrefix(text, "${"):
			var value string
			value, text, err = s.variable(text[2:])
			out.WriteString(value)
			used = true
			if err != nil {
				faults = append(faults, err)
			}
		default:
			n := plain(text)
			out.WriteString(text[:n])
			text = text[n:]
		}
	}
	return out.String(), used, errors.Join(faults...)
}

// plain is the length of the text before the next "${" or "$${"; at least one byte.
func plain(text string) int {
	n := strings.Index(text[1:], "${")
	if n < 0 {
		return len(text)
	}
	n++
	if n > 1 && text[n-1] == '$' {
		n--
	}
	return n
}

// variable resolves what follows "${" and returns its value and the text behind "}".
func (s sources) variable(text string) (value, rest string, err error) {
	inside, rest, closed := strings.Cut(text, "}")
	if !closed {
		return "", "", errors.New("missing } after ${; write $${ for a literal ${")
	}
	if strings.Contains(inside, "${") {
		return "", rest, errors.New("variables cannot be nested")
	}
	if path, ok := strings.CutPrefix(inside, "file:"); ok {
		value, err = s.content(path)
		return value, rest, err
	}
	name, fallback, hasFallback := strings.Cut(inside, ":-")
	if !isVariable(name) {
		return "", rest, errors.New("not a variable name in ${…} (letters, digits and _); write $${ for a literal ${")
	}
	value, set := s.lookup(name)
	switch {
	case hasFallback && value == "":
		return fallback, rest, nil
	case !set:
		return "", rest, fmt.Errorf("the variable %s %w", name, errUnset)
	case !clean(value):
		return "", rest, fmt.Errorf("the value of the variable %s is not text (a NUL byte, or not UTF-8)", name)
	}
	return value, rest, nil
}

func (s sources) lookup(name string) (string, bool) {
	if s.getenv == nil {
		return "", false
	}
	return s.getenv(name)
}

// content reads the file behind ${file:…}.
func (s sources) content(path string) (string, error) {
	if path == "" || s.readFile == nil {
		return "", errors.New("${file:…} is not supported here")
	}
	content, err := s.readFile(resolve(s.folder, path))
	switch {
	case err != nil:
		return "", fmt.Errorf("the file %s cannot be read%s", path, systemReason(err))
	case len(content) > maxExpanded:
		return "", fmt.Errorf("the file %s is larger than 64 KiB", path)
	case !clean(string(content)):
		return "", fmt.Errorf("the file %s is not text (a NUL byte, or not UTF-8)", path)
	}
	return strings.TrimSpace(string(content)), nil
}

// systemReason is what the system says of a file, behind a colon. An error of another kind
// is left out: its text may be anything.
func systemReason(err error) string {
	if system := syscall.Errno(0); errors.As(err, &system) {
		return ": " + reason(system)
	}
	return ""
}

// clean reports whether a value is text that a configuration may hold.
func clean(value string) bool {
	return utf8.ValidString(value) && !strings.Contains(value, "\x00")
}

// resolve makes a file name of the configuration relative to the configuration's folder.
func resolve(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// isVariable reports whether name is a portable name of an environment variable
// (POSIX.1, 8.1, small letters allowed).
func isVariable(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}
