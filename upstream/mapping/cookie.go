package mapping

import "coatcheck/bff/credential"

// AppendCookies appends the value of a Cookie line (RFC 6265 §5.4): the cookies that s
// puts, then more, which holds pairs already. It appends nothing where there are none.
func (s *Send) AppendCookies(dst []byte, c *credential.Credential, who Caller, more []byte) []byte {
	begin, from := len(dst), onCall(c, who)
	for _, p := range s.Cookies {
		start := len(dst)
		if start > begin {
			dst = append(dst, "; "...)
		}
		dst = append(append(dst, p.Name...), '=')
		var err error
		if dst, err = p.Value.appendTo(dst, &from, putCookie); err != nil {
			dst = dst[:start]
		}
	}
	if len(more) > 0 && len(dst) > begin {
		dst = append(dst, "; "...)
	}
	return append(dst, more...)
}

// putCookie puts a value into a cookie, which holds less than a header does.
func putCookie(dst []byte, v value) ([]byte, bool) {
	start := len(dst)
	dst, ok := v.appendText(dst)
	return dst, ok && IsCredentialText(dst[start:])
}
