package configs_test

import "testing"

// TestFaultIsSaidOnce: what two providers make wrong in one upstream is one fault.
func TestFaultIsSaidOnce(t *testing.T) {
	_, faults := parse(`
frontends:
  shop: {origins: [https://shop.example.com], login: {provider: [one, two], upstream: api}, routes: [{path: /api, upstream: api}]}
providers:
  one: {issuer: https://one.example.com, client_id: x, dpop: required}
  two: {issuer: https://two.example.com, client_id: x, dpop: required}
upstreams:
  api: {url: https://api.example.com, send: {query: {t: "{access_token}"}}}
`, nil)
	n := 0
	for _, f := range faults {
		if f.Path == "upstreams.api.send.query.t" && !f.Warning {
			n++
		}
	}
	if n != 1 {
		t.Errorf("said %d times: %v", n, faults)
	}
}
