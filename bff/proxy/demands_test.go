package proxy

import (
	"testing"

	"coatcheck/bff/http1"
)

// TestDemands: only the scheme DPoP speaks of proofs.
func TestDemands(t *testing.T) {
	for line, want := range map[string]bool{
		`DPoP error="use_dpop_nonce"`: true, `Bearer realm="x", dpop algs="ES256", error=use_dpop_nonce`: true,
		`Bearer error="use_dpop_nonce"`: false, `DPoP error="invalid_token"`: false, `DPoP realm="DPoP error=use_dpop_nonce"`: false,
	} {
		if got := demands([]http1.Field{{Name: []byte("www-authenticate"), Value: []byte(line)}}, useNonce); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
