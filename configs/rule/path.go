package rule

import (
	"net/url"
	"strings"
)

// Path holds a path that Coatcheck compares or forwards against the rules
// that calls must keep: letters as written, nothing that two readers could take
// for two different paths.
func Path(s string) Complaint { return settled(s, pathFault(s), pathFault) }

func pathFault(s string) Complaint {
	switch {
	case strings.Contains(s, "*"):
		return Complaint{"no wildcards in paths: a prefix covers everything below it", ""}
	case !strings.HasPrefix(s, "/"):
		return Complaint{"must start with /", "/" + s}
	case strings.ContainsAny(s, "?#"):
		return Complaint{"a path must not contain ? or #", ""}
	case strings.Contains(s, "//"):
		return Complaint{"a path must not contain an empty segment (//)", ""}
	case !isVisible(s) || strings.ContainsAny(s, `\{}"<>^|`+"`"):
		return Complaint{"a path must be visible ASCII without \\ { } \" < > ^ | `", ""}
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return Complaint{"invalid percent-escape", "%25 is a percent sign"}
	}
	if strings.Count(decoded, "/") != strings.Count(s, "/") || !isVisible(strings.ReplaceAll(decoded, " ", "_")) && isASCII(decoded) {
		return Complaint{"an escaped slash or control byte", ""}
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return Complaint{"a path must not contain dot segments (. or ..)", ""}
		}
	}
	return Complaint{}
}

// isVisible reports whether s is visible ASCII without space.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// BasePath is [Path] for the path in front of a frontend.
func BasePath(s string) Complaint { return settled(s, basePathFault(s), basePathFault) }

func basePathFault(s string) Complaint {
	c := pathFault(s)
	switch {
	case c.Is():
		return c
	case s == "/":
		return Complaint{"the same as no base path", "leave it out"}
	case strings.HasSuffix(s, "/"):
		return Complaint{"must not end with /", strings.TrimRight(s, "/")}
	case strings.HasPrefix(s+"/", "/bff/"):
		return Complaint{"/bff/ is reserved for Coatcheck", "/shop"}
	}
	return Complaint{}
}

// LooksLikePrefix reports whether a path without "/" at its end was probably meant to
// have one: an API's root, or its version.
func LooksLikePrefix(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	version := strings.TrimLeft(strings.TrimPrefix(last, "v"), "0123456789.") == "" && strings.HasPrefix(last, "v")
	return version && len(last) > 1 || last == "api" || last == "rest" || last == "backend"
}

func routeFault(s string) Complaint {
	if c := pathFault(s); c.Is() {
		if LooksLikePrefix(c.Hint) {
			c.Hint += "/"
		}
		return c
	}
	if strings.HasPrefix(s+"/", "/bff/") {
		return Complaint{"/bff/ is reserved for Coatcheck", "/api/"}
	}
	return Complaint{}
}

// Prefix is [Path] for what a route takes or puts in its place.
func Prefix(s string) Complaint { return settled(s, prefixFault(s), prefixFault) }

func prefixFault(s string) Complaint {
	if c := pathFault(s); c.Is() {
		return c
	}
	if !strings.HasSuffix(s, "/") {
		return Complaint{"a prefix must end with /, so that /api does not match /apix", s + "/"}
	}
	return Complaint{}
}

// RequestPath is [Path] but for the asterisk, which some APIs' paths hold.
func RequestPath(s string) Complaint {
	c := Path(strings.ReplaceAll(s, "*", "x"))
	c.Hint = strings.TrimPrefix(c.Hint, "/"+s) // never a hint that repeats what braces were replaced in
	return c
}

func healthFault(s string) Complaint {
	if c := pathFault(s); c.Is() {
		return c
	}
	if s == "/bff" || strings.HasPrefix(s, "/bff/") {
		return Complaint{"/bff/ is reserved for Coatcheck", "/healthz"}
	}
	return Complaint{}
}

// RoutePath is [Path] for a route's prefix, or its one path.
func RoutePath(s string) Complaint { return settled(s, routeFault(s), routeFault) }

// HealthPath is [Path] for the path of the public listener's own.
func HealthPath(s string) Complaint { return settled(s, healthFault(s), healthFault) }
