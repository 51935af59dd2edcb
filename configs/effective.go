package configs

import (
	"coatcheck/upstream/mapping"
)

// SendHeaders are the headers that carry the person on calls. named is false
// where the file gives none and they are the default, Authorization: Bearer
// {access_token} (RFC 6750 §2.1); only then a token_type other than bearer is refused.
// A query or cookies that hold a value of the credential take the default's place.
func (u *Upstream) SendHeaders() (headers map[string]mapping.Template, named bool) {
	if u.Send != nil && (u.Send.Headers != nil || carries(u.Send.Query) || carries(u.Send.Cookie)) {
		return u.Send.Headers, true
	}
	return mapping.Bearer(), false
}

// carries reports whether one of the values holds a {name}.
func carries(values map[string]mapping.Template) bool {
	return len(mapping.SortHeaders(values).ValueNames()) > 0
}

// SubjectPointer is what names the person, below At. named is false where the
// file gives none and it is the default, /sub of a JWT (RFC 7519 §4.1.2) and /id
// elsewhere: then an answer without it is no error, the person just has no name.
func (u *User) SubjectPointer() (pointer string, named bool) {
	switch {
	case u.Subject != "":
		return u.Subject, true
	case u.From == "jwt":
		return "/sub", false
	}
	return "/id", false
}
