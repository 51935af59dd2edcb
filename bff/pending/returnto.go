package pending

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxReturnTo bounds a page's address as it is asked for, in bytes.
const MaxReturnTo = 1 << 10

// ErrReturnTo says that a page to return to is not one of the frontend's.
var ErrReturnTo = errors.New("pending: not a page of this frontend")

// Pages are the pages that a sign-in may return to.
type Pages struct {
	// Origin is the one that a path belongs to: this host's, or the first one listed
	// where pages live on other hosts.
	Origin string
	// Origins are those that may be named whole.
	Origins []string
	// BasePath is the frontend's; "" for none.
	BasePath string
	// Others are the base paths of further frontends of the host.
	Others []string
}

// Resolve returns the whole address of a page: of a path with exactly one slash in
// front, or of a whole URL at one of the origins. Fragments are kept; everything is
// parsed and written anew, so that no two programs can read it differently. Empty is
// the frontend's start. Anything else is [ErrReturnTo], with a reason that holds no byte of it.
func (p Pages) Resolve(returnTo string) (string, error) {
	if returnTo == "" {
		return p.Origin + p.BasePath + "/", nil
	}
	switch {
	case len(returnTo) > MaxReturnTo:
		return "", refused("over 1 KiB")
	case !utf8.ValidString(returnTo) || strings.ContainsFunc(returnTo, isForbidden):
		return "", refused("a backslash, a control character, or not UTF-8")
	}
	u, err := url.Parse(returnTo)
	if err != nil || u.Opaque != "" || u.User != nil {
		return "", refused("not an address of a page")
	}
	origin := p.Origin
	switch {
	case u.Scheme == "" && strings.HasPrefix(returnTo, "/") && !strings.HasPrefix(returnTo, "//"):
	case u.Host != "" && slices.Contains(p.Origins, u.Scheme+"://"+u.Host) && strings.HasPrefix(returnTo, u.Scheme+"://"+u.Host):
		origin = u.Scheme + "://" + u.Host
	default:
		return "", refused("neither a path with one slash in front, nor at one of the frontend's origins")
	}
	path, ok := p.path(u)
	if !ok {
		return "", refused("below /bff/, with dot segments, or with an encoded backslash or control character")
	}
	return origin + path + tail(u), nil
}

func refused(why string) error { return fmt.Errorf("%w: %s", ErrReturnTo, why) }

// isForbidden tells what no address holds, and what browsers read as something else: a
// backslash is a slash to them, and line breaks and tabs are nothing.
func isForbidden(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\\' || 0x80 <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff
}

// path is the path, written anew. Dot segments are refused, because a browser resolves
// them, and so could be led below /bff/.
func (p Pages) path(u *url.URL) (string, bool) {
	if u.Path == "" {
		return "/", true
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return "", false
		}
	}
	below := u.Path
	for { // servers differ in how often they decode, and in how they read two slashes
		folded := strings.ToLower(fold(below))
		if isOurs(folded, append(p.Others, "", p.BasePath)) {
			return "", false
		}
		decoded, err := url.PathUnescape(below)
		if err != nil || decoded == below {
			break
		}
		below = decoded
	}
	if strings.ContainsFunc(below, isForbidden) || hasDots(below) {
		return "", false
	}
	return escape(u.EscapedPath()), true
}

func hasDots(path string) bool {
	return slices.ContainsFunc(strings.Split(path, "/"), func(s string) bool { return s == "." || s == ".." })
}

// fold makes one slash of several.
func fold(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// isOurs reports whether a path is Coatcheck's own, below one of bases: no page is there.
func isOurs(path string, bases []string) bool {
	return slices.ContainsFunc(bases, func(base string) bool {
		rest, ok := strings.CutPrefix(path, strings.ToLower(base)+"/bff")
		return ok && (rest == "" || rest[0] == '/')
	})
}

// tail is query and fragment, written anew.
func tail(u *url.URL) string {
	text := ""
	if u.RawQuery != "" || u.ForceQuery {
		text = "?" + escape(u.RawQuery)
	}
	if u.Fragment != "" {
		text += "#" + escape(u.EscapedFragment())
	}
	return text
}

// escape percent-encodes what a browser would encode in a query, and what could end an
// attribute of HTML.
func escape(raw string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(raw) {
		c := raw[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte("\"'<>`{}|^", c) >= 0 {
			b.WriteString("%" + hex[c>>4:c>>4+1] + hex[c&15:c&15+1])
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
