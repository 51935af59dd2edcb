package configs_test

import (
	"fmt"
	"strings"
	"testing"
)

// A SameSite cookie travels within one registrable domain only, so a frontend
// and its host must share one.
func TestFrontendAndHostShareASite(t *testing.T) {
	for _, c := range []struct {
		origin, host string
		same         bool
	}{
		{"https://shop.example.com", "api.example.com", true},
		{"https://example.com", "api.example.com", true},
		{"https://a.b.example.com", "example.com", true},
		{"https://shop.example.co.uk", "api.example.co.uk", true},
		{"https://shop.example.com:8443", "api.example.com", true},
		{"https://shop.example.com", "shop.example.net", false},
		{"https://shop.example.com", "notexample.com", false},
		{"https://example.co.uk", "other.co.uk", false},
		{"https://shop.github.io", "api.github.io", false}, // the list's private part
		{"https://a.shop.github.io", "b.shop.github.io", true},
		{"https://shop.herokuapp.com", "api.herokuapp.com", false},
		{"https://192.0.2.7", "192.0.2.7", true},
		{"https://192.0.2.7", "192.0.2.8", false},
		{"https://10.1.2.7", "192.0.2.7", false}, // though their last two parts are the same
		{"https://[2001:db8::1]", "[2001:db8::1]", true},
		{"https://[2001:db8::1]", "[2001:db8::2]", false},
		{"http://localhost:3000", "localhost", true},
		{"http://shop.localhost:3000", "api.localhost", false}, // measured: browsers take them for two sites
		{"http://shop.localhost:3000", "localhost", false},
		{"http://shop.coatcheck.localhost:3000", "api.coatcheck.localhost", true},
		{"http://coatcheck.localhost:3000", "api.coatcheck.localhost", true},
		{"https://shop", "shop", true},
		{"https://shop", "api", false},
		{"https://xn--mnchen-3ya.example.com", "api.example.com", true},
	} {
		t.Run(c.origin+" "+c.host, func(t *testing.T) {
			content := strings.Replace(small(""), `"http://localhost:8080"`, fmt.Sprintf("%q]\n    host: %q #", c.origin, c.host), 1)
			got, faults := parse(strings.Replace(content, "memory://", "redis://localhost", 1), nil)
			if (got != nil) != c.same {
				t.Errorf("faults %v, want same site: %v", faults, c.same)
			}
			if !c.same && (len(faults) != 1 || faults[0].Path != "frontends.shop.origins[0]") {
				t.Errorf("faults %v", faults)
			}
		})
	}
}
