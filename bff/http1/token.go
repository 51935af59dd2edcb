package http1

// Classes of bytes. A table, because they are asked for every byte of every head.
const (
	classToken  = 1 << iota // tchar, RFC 9110 §5.6.2
	classValue              // HTAB, SP, VCHAR, obs-text: RFC 9110 §5.5
	classTarget             // 0x21-0x7e
	classHost               // what a reg-name of ours may hold
)

var classes = makeClasses()

func makeClasses() (t [256]byte) {
	for c := range 256 {
		b := byte(c)
		alnum := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if alnum {
			t[c] |= classToken | classHost
		}
		if b > ' ' && b < 0x7f {
			t[c] |= classTarget
		}
		if b >= ' ' && b != 0x7f || b == '\t' {
			t[c] |= classValue
		}
	}
	for _, b := range []byte("!#$%&'*+-.^_`|~") {
		t[b] |= classToken
	}
	for _, b := range []byte("-._") {
		t[b] |= classHost
	}
	return t
}

func all(b []byte, class byte) bool {
	for _, c := range b {
		if classes[c]&class == 0 {
			return false
		}
	}
	return true
}

// IsToken reports whether b is a token (RFC 9110 §5.6.2).
func IsToken(b []byte) bool { return len(b) > 0 && all(b, classToken) }

// IsPlainName reports whether a field name is words of letters and digits with one
// hyphen between them. Servers that map names to variables (CGI, WSGI, PHP) read "_" and
// "." as "-", and some fold or trim hyphens, so X_Forwarded_For or X--Forwarded-For
// would arrive as X-Forwarded-For; such names are never forwarded.
func IsPlainName(b []byte) bool {
	last := byte('-')
	for _, c := range b {
		if classes[c]&classHost == 0 || c == '.' || c == '_' || c == '-' && last == '-' {
			return false
		}
		last = c
	}
	return last != '-'
}

// EqualFold reports whether b is lower but for the case of ASCII letters. lower
// must be in lower case.
func EqualFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		if Lower(b[i]) != lower[i] {
			return false
		}
	}
	return true
}

// EqualFoldBytes reports whether a and b are the same but for the case of ASCII
// letters.
func EqualFoldBytes(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if Lower(a[i]) != Lower(b[i]) {
			return false
		}
	}
	return true
}

// HasPrefixFold is [EqualFold] for the beginning of b.
func HasPrefixFold(b []byte, lower string) bool {
	return len(b) >= len(lower) && EqualFold(b[:len(lower)], lower)
}

// Lower is the lower case of an ASCII letter, and any other byte as it is.
func Lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// TrimOWS removes optional white space (RFC 9110 §5.6.3) at both ends.
func TrimOWS(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// IsHost reports whether b is host[:port] as a Host must be.
func IsHost(b []byte) bool { return isHost(b) }

// isHost reports whether b is host[:port] (RFC 9112 §3.2): a name of letters,
// digits, "-", "." and "_", or an IPv6 address in brackets. No userinfo, nothing else.
func isHost(b []byte) bool {
	host, port := b, []byte(nil)
	if len(b) > 0 && b[0] == '[' {
		end := 1
		for end < len(b) && (classes[b[end]]&classHost != 0 || b[end] == ':') {
			end++
		}
		if end == len(b) || b[end] != ']' || end == 1 {
			return false
		}
		host, port = nil, b[end+1:]
	} else {
		for i, c := range b {
			if c == ':' {
				host, port = b[:i], b[i:]
				break
			}
		}
		if len(host) == 0 {
			return false
		}
	}
	return all(host, classHost) && isPort(port)
}

// isPort reports whether b is empty or ":" and a port, which may be empty (RFC 3986
// §3.2.3) and is at most 65535.
func isPort(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if b[0] != ':' || len(b) > 6 {
		return false
	}
	port := 0
	for _, c := range b[1:] {
		if c < '0' || c > '9' {
			return false
		}
		port = 10*port + int(c-'0')
	}
	return port <= 65535
}

// HexValue is the value of a hexadecimal digit (RFC 5234 §B.1, in either case); -1: c is
// none.
func HexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
