package headers_test

import (
	"strings"
	"testing"

	"coatcheck/bff/headers"
)

// TestUnpassable: names of frameworks may be let through; what any server could read as a
// name that is held back may not, in whatever spelling.
func TestUnpassable(t *testing.T) {
	for _, name := range []string{"__tenant", "Abp.TenantId", "X_Tenant_Id", "x.trace.no", "App_Version", "_csrf_token_of_theirs"} {
		if why := headers.Unpassable(name); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
	for _, name := range []string{"X_Forwarded_For", "X.Real.IP", "x--forwarded--host", "_Authorization", "Author_ization", "Cookie_", "X_User_Id", "Remote.User", "x_http_method_override", "Sec_Fetch_Site", "Content_Length", "X_SSL_Client_Cert", "cf_x"} {
		if headers.Unpassable(name) == "" {
			t.Errorf("%s may be let through", name)
		}
	}
}

// TestPassed: a name that is let through passes in any case, its neighbours do not.
func TestPassed(t *testing.T) {
	rules := headers.ToAPI([]string{"X-Key"}, []string{"__tenant", "Abp.TenantId"})
	for name, want := range map[string]headers.Verdict{"__tenant": headers.Passes, "__Tenant": headers.Passes, "abp.tenantid": headers.Passes,
		"_tenant": headers.OddName, "Abp_TenantId": headers.OddName, "X-Key": headers.Listed, "Cookie": headers.Listed, "Cookie2": headers.Listed, "X-User-Id": headers.OfCaller, "X-Tenant": headers.Passes} {
		if got := rules.Judge([]byte(name)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// FuzzUnpassable: whatever is let through, no server that takes other characters for
// hyphens, or drops them, reads as a name that is held back.
func FuzzUnpassable(f *testing.F) {
	for _, seed := range []string{"__tenant", "X_Forwarded_For", "a.b", "..", "x__real__ip"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if headers.Unpassable(name) != "" {
			return
		}
		rules := headers.ToAPI(nil, nil)
		for _, hyphen := range []string{"-", ""} {
			reading := strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
					return r
				}
				return ' '
			}, name)
			reading = strings.Join(strings.Fields(reading), hyphen)
			if v := rules.Judge([]byte(reading)); reading != "" && v != headers.Passes {
				t.Errorf("%q reads as %q, which is held back: %v", name, reading, v)
			}
		}
	})
}
