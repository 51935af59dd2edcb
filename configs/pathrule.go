package configs

import (
	"net/url"
	"strings"
)

// checkPath holds a path that Coatcheck compares or forwards against the rules
// that calls must keep: letters as written, nothing that two readers could take
// for two different paths.
func checkPath(s string) complaint { return settled(s, pathFault(s), pathFault) }

func pathFault(s string) complaint {
	switch {
	case strings.Contains(s, "*"):
		return complaint{"there are no wildcards in paths: a prefix takes all below it", ""}
	case !strings.HasPrefix(s, "/"):
		return complaint{"a path begins with /", "/" + s}
	case strings.ContainsAny(s, "?#"):
		return complaint{"a path has neither ? nor #", ""}
	case strings.Contains(s, "//"):
		return complaint{"a path has no empty segment (//)", ""}
	case !isVisible(s) || strings.ContainsAny(s, `\{}"<>^|`+"`"):
		return complaint{"a path has visible ASCII only, and none of \\ { } \" < > ^ | `", ""}
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return complaint{"a broken escape", "%25 is a percent sign"}
	}
	if strings.Count(decoded, "/") != strings.Count(s, "/") || !isVisible(strings.ReplaceAll(decoded, " ", "_")) && isASCII(decoded) {
		return complaint{"an escaped slash or control byte", ""}
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return complaint{"a path has no dot segments", ""}
		}
	}
	return complaint{}
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

func checkBasePath(s string) complaint { return settled(s, basePathFault(s), basePathFault) }

func basePathFault(s string) complaint {
	c := pathFault(s)
	switch {
	case c.is():
		return c
	case s == "/":
		return complaint{"this is the same as none", "remove it"}
	case strings.HasSuffix(s, "/"):
		return complaint{"a base path does not end with /", strings.TrimRight(s, "/")}
	case strings.HasPrefix(s+"/", "/bff/"):
		return complaint{"/bff/ is Coatcheck's own", "/shop"}
	}
	return complaint{}
}

// looksLikePrefix reports whether a path without "/" at its end was probably meant to
// have one: an API's root, or its version.
func looksLikePrefix(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	version := strings.TrimLeft(strings.TrimPrefix(last, "v"), "0123456789.") == "" && strings.HasPrefix(last, "v")
	return version && len(last) > 1 || last == "api" || last == "rest" || last == "backend"
}

func routeFault(s string) complaint {
	if c := pathFault(s); c.is() {
		if looksLikePrefix(c.hint) {
			c.hint += "/"
		}
		return c
	}
	if strings.HasPrefix(s+"/", "/bff/") {
		return complaint{"/bff/ is Coatcheck's own", "/api/"}
	}
	return complaint{}
}

// checkPrefix is checkPath for what a route takes or puts in its place.
func checkPrefix(s string) complaint { return settled(s, prefixFault(s), prefixFault) }

func prefixFault(s string) complaint {
	if c := pathFault(s); c.is() {
		return c
	}
	if !strings.HasSuffix(s, "/") {
		return complaint{"a prefix ends with /, so that /api is not /apix", s + "/"}
	}
	return complaint{}
}

// checkRequestPath is checkPath but for the asterisk, which some APIs' paths hold.
func checkRequestPath(s string) complaint {
	c := checkPath(strings.ReplaceAll(s, "*", "x"))
	c.hint = strings.TrimPrefix(c.hint, "/"+s) // never a hint that repeats what braces were replaced in
	return c
}

func healthFault(s string) complaint {
	if c := pathFault(s); c.is() {
		return c
	}
	if s == "/bff" || strings.HasPrefix(s, "/bff/") {
		return complaint{"/bff/ is Coatcheck's own", "/healthz"}
	}
	return complaint{}
}

// checkRoutePath is checkPath for a route's prefix, or its one path.
func checkRoutePath(s string) complaint { return settled(s, routeFault(s), routeFault) }

// checkHealthPath is checkPath for the path of the public listener's own.
func checkHealthPath(s string) complaint { return settled(s, healthFault(s), healthFault) }
