package upstreams

import (
	"coatcheck/configs"
)

// stale checks which answers say that a token is dead.
func (ck signInCheck) stale(path string, u *configs.Upstream) {
	for i, sign := range u.Stale {
		at := item(child(path, "stale"), i)
		ck.ComplainOf(at, sign.Faults())
		if sign.At != nil {
			ck.notTaken(child(at, "at"), *sign.At)
		}
		ck.patterns(child(at, "is"), sign.Is)
		if sign.At == nil && sign.Status >= 200 && sign.Status < 300 {
			ck.Refuse(at, "every success would count as a dead token", "at: /errors/0/extensions/code, is: UNAUTHENTICATED")
		}
	}
	if len(u.Stale) > 0 && u.Refresh == nil {
		ck.Warn(child(path, "stale"), "without refresh nothing can be done about a dead token", "refresh: {request: …}, or verify: {after: […], …}")
	}
}
