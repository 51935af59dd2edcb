package proxy

import (
	"net/url"
	"strings"

	"coatcheck/bff/http1"
)

// insufficient is the error by which an API says that the person must sign in more
// strongly, or anew (RFC 9470 §3).
const insufficient = "insufficient_user_authentication"

// stepUp reads the API's demand for a stronger sign-in out of its WWW-Authenticate,
// which itself never reaches the browser. It is written as the parameters of GET
// /bff/login, so that a page can go there with it; empty: there is no demand.
func stepUp(fields []http1.Field) string {
	demand := ""
	http1.EachChallenge(fields, func(_ string, p map[string]string) bool {
		if p["error"] != insufficient {
			return true
		}
		query := url.Values{}
		if acr := p["acr_values"]; acr != "" && len(acr) <= 512 {
			query.Set("acr", acr)
		}
		if age := p["max_age"]; age != "" && len(age) <= 9 && strings.Trim(age, "0123456789") == "" {
			query.Set("max_age", age)
		}
		if len(query) == 0 {
			query.Set("prompt", "login") // neither is obligatory: anew is all that is known
		}
		demand = query.Encode()
		return false
	})
	return demand
}
