package mapping

import (
	"errors"
	"net/url"
	"strings"

	"coatcheck/upstream"
)

// fillPath returns the path below the origin, base path included. A value inside
// the path is one segment or part of one; a value that is the whole path is a
// path that the API gave, and must stay under the upstream's url.
func (r *Request) fillPath(to *upstream.Address, v *Values) (string, error) {
	path := r.path()
	if name, whole := path.Whole(); whole {
		return givenPath(to, v.find(name))
	}
	filled, err := path.appendTo(nil, v, putSegment)
	if err != nil {
		return "", err
	}
	if !path.IsConstant() && !isPlainPath(string(filled)) {
		return "", unfit{}
	}
	return to.Path + string(filled), nil
}

// putSegment puts a value into a path segment.
func putSegment(dst []byte, v value) ([]byte, bool) {
	text, ok := v.appendText(nil)
	if !ok || v.fromAPI && !IsCredentialText(text) {
		return dst, false
	}
	return append(dst, url.PathEscape(string(text))...), true
}

var errPathLeaves = errors.New("a path that the API gave leaves the upstream's url")

// givenPath reads a path that an API gave. It may be written as a whole URL if
// that is below the upstream's own; with a base path, it may stand below that or
// below the host, as paths in Location do (RFC 9110 §10.2.2).
func givenPath(to *upstream.Address, v value) (string, error) {
	text, ok := v.appendText(nil)
	if len(text) == 0 {
		return "", errNoValue
	}
	path := strings.TrimPrefix(string(text), to.Origin()+"/")
	if path != string(text) {
		path = "/" + path
	}
	if !ok || !IsCredentialText(text) || !isPlainPath(path) {
		return "", errPathLeaves
	}
	if base := to.Path; path != base && !strings.HasPrefix(path, base+"/") {
		return base + path, nil
	}
	return path, nil
}

// isPlainPath reports whether p is a path that no reader takes for another: it
// begins with one slash, has no backslash, fragment, control byte, broken escape
// or dot segment, also when read after one more decoding.
func isPlainPath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") || strings.Contains(p, "#") {
		return false
	}
	p, _, _ = strings.Cut(p, "?")
	decoded, err := url.PathUnescape(p)
	if err != nil || strings.Contains(decoded, `\`) || !isFieldText([]byte(decoded)) {
		return false
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return false
		}
	}
	return true
}
