package proxy

import (
	"bytes"

	"coatcheck/upstream/mapping"
)

// leastShown is the length under which a value is too common to be looked for.
const leastShown = 8

// showsSent reports whether a header of the answer repeats a value that `send` put into
// the query or a cookie. An API shows it in links and in headers for debugging; a page has
// no use for it, and must not learn it.
func showsSent(x *roundTrip, value []byte) bool {
	send := x.target.up.Send()
	if len(send.Query) == 0 && len(send.Cookies) == 0 {
		return false
	}
	token := x.token()
	for _, list := range []mapping.Headers{send.Query, send.Cookies} {
		for i := range list {
			for _, name := range list[i].Value.Names() {
				text, _ := mapping.SecretText(token.Value(name))
				if len(text) >= leastShown && bytes.Contains(value, []byte(text)) {
					return true
				}
			}
		}
	}
	return false
}
