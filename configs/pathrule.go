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
		return complaint{"no wildcards in paths: a prefix covers everything below it", ""}
	case !strings.HasPrefix(s, "/"):
		return complaint{"must start with /", "/" + s}
	case strings.ContainsAny(s, "?#"):
		return complaint{"a path must not contain ? or #", ""}
	case strings.Contains(s, "//"):
		return complaint{"a path must not contain an empty segment (//)", ""}
	case !isVisible(s) || strings.ContainsAny(s, `\{}"<>^|`+"`"):
		return complaint{"a path must be visible ASCII without \\ { } \" < > ^ | `", ""}
	}
	decoded, err := url.PathUnescape(s)
	if err != nil {
		return complaint{"invalid percent-escape", "%25 is a percent sign"}
	}
	if strings.Count(decoded, "/") != strings.Count(s, "/") || !isVisible(strings.ReplaceAll(decoded, " ", "_")) && isASCII(decoded) {
		return complaint{"an escaped slash or control byte", ""}
	}
	for segment := range strings.SplitSeq(decoded, "/") {
		if name, _, _ := strings.Cut(segment, ";"); name == "." || name == ".." {
			return complaint{"a path must not contain dot segments (. or ..)", ""}
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
