package server_test

import (
	"strings"
	"testing"
)

// TestPassHeaders: headers that a route lets through arrive as they were written; all
// other odd names stay behind.
func TestPassHeaders(t *testing.T) {
	h := open(t, settings{edit: func(yaml string) string {
		return replaced(yaml, "{path: /api/, upstream: api, header_timeout: 60s,", "{path: /api/, upstream: api, pass_headers: [__tenant, Abp.TenantId], header_timeout: 60s,")
	}})
	cookie := h.signIn("ada@x.test")
	sent := []string{cookie, sameOrign, "__tenant: acme", "Abp.TenantId: 7", "X_Forwarded_For: 6.6.6.6", "_tenant: no", "X-User-Id: 1"}
	h.call("GET /api/x", sent...)
	in := h.api.Last(t).Header
	if in.Get("__tenant") == "" {
		t.Errorf("__tenant did not arrive: %v", in)
	}
	found := map[string]string{}
	for name, values := range in {
		found[strings.ToLower(name)] = strings.Join(values, "|")
	}
	for name, want := range map[string]string{"__tenant": "acme", "abp.tenantid": "7", "x_forwarded_for": "", "_tenant": "", "x-user-id": ""} {
		if found[name] != want {
			t.Errorf("%s: %q, want %q", name, found[name], want)
		}
	}
	h.call("GET /v/x", sent...)
	for name := range h.api.Last(t).Header {
		if strings.ContainsAny(name, "_.") {
			t.Errorf("another route lets %s through", name)
		}
	}
}
