package http1

// isExtensions reports whether b, which is not empty, is a list of chunk extensions
// (RFC 9112 §7.1.1): ";name", ";name=token" or ";name=\"quoted\"", with optional white
// space around ";" and "=". Nobody here uses them, but what one reader skips and another
// takes for the end of the line is how a chunk becomes a second request.
func isExtensions(b []byte) bool {
	for len(b) > 0 {
		b = skipOWS(b)
		if len(b) == 0 || b[0] != ';' {
			return false
		}
		var ok bool
		if b, ok = skipToken(skipOWS(b[1:])); !ok {
			return false
		}
		rest := skipOWS(b)
		if len(rest) == 0 || rest[0] != '=' {
			continue // the white space belongs to the next ";", or is an error there
		}
		if b, ok = skipWord(skipOWS(rest[1:])); !ok {
			return false
		}
	}
	return true
}

func skipOWS(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// skipToken skips a token at the beginning of b; false: there is none.
func skipToken(b []byte) (rest []byte, ok bool) {
	n := 0
	for n < len(b) && classes[b[n]]&classToken != 0 {
		n++
	}
	return b[n:], n > 0
}

// skipWord skips a token or a quoted string (RFC 9110 §5.6.4).
func skipWord(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '"' {
		return skipToken(b)
	}
	for i := 1; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			return b[i+1:], true
		case c == '\\':
			if i++; i == len(b) || classes[b[i]]&classValue == 0 {
				return nil, false
			}
		case classes[c]&classValue == 0:
			return nil, false
		}
	}
	return nil, false
}
