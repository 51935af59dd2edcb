package oidc_test

import (
	"net/netip"
	"testing"

	"coatcheck/configs"
	"coatcheck/upstream/oidc"
)

// TestReach: metadata leads to public addresses, or to such as the issuer's own is; what
// the operator named is dialled wherever it is.
func TestReach(t *testing.T) {
	for _, row := range []struct {
		issuer, host, addr string
		good               bool
	}{
		{"8.8.8.8", "keys.example", "1.1.1.1", true},
		{"8.8.8.8", "keys.example", "10.0.0.1", false},
		{"8.8.8.8", "keys.example", "192.168.1.1", false},
		{"8.8.8.8", "keys.example", "172.16.0.1", false},
		{"8.8.8.8", "keys.example", "100.64.0.1", false},
		{"8.8.8.8", "keys.example", "127.0.0.1", false},
		{"8.8.8.8", "keys.example", "0.0.0.0", false},
		{"8.8.8.8", "keys.example", "::1", false},
		{"8.8.8.8", "keys.example", "::", false},
		{"8.8.8.8", "keys.example", "::ffff:10.0.0.1", false},
		{"8.8.8.8", "keys.example", "fd00::1", false},
		{"8.8.8.8", "keys.example", "fe80::1", false},
		{"8.8.8.8", "keys.example", "169.254.169.254", false},
		{"8.8.8.8", "keys.example", "224.0.0.1", false},
		{"8.8.8.8", "keys.example", "64:ff9b::a00:1", false},
		{"8.8.8.8", "keys.example", "64:ff9b::808:808", true},
		{"8.8.8.8", "keys.example", "2606:4700::1111", true},
		{"8.8.8.8", "id.example.net", "10.0.0.1", true},
		{"8.8.8.8", "mapped.example", "10.0.0.1", true},
		{"10.0.0.9", "keys.example", "10.9.9.9", true},
		{"10.0.0.9", "keys.example", "fd00::1", true},
		{"10.0.0.9", "keys.example", "8.8.8.8", true},
		{"10.0.0.9", "keys.example", "127.0.0.1", false},
		{"10.0.0.9", "keys.example", "169.254.169.254", false},
		{"127.0.0.1", "keys.example", "127.0.0.2", true},
		{"127.0.0.1", "keys.example", "10.0.0.1", false},
	} {
		allow := oidc.Reach(&configs.Provider{Issuer: "https://ID.example.net/x", ProviderConnection: configs.ProviderConnection{Addresses: map[string]string{"mapped.example": "10.0.0.1:1"}}})
		if err := allow("id.example.net", netip.MustParseAddr(row.issuer)); err != nil {
			t.Fatal(err)
		}
		if err := allow(row.host, netip.MustParseAddr(row.addr).Unmap()); (err == nil) != row.good {
			t.Errorf("%+v: %v", row, err)
		}
	}
}
