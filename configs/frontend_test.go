package configs_test

import (
	"fmt"
	"strings"
	"testing"

	"coatcheck/configs"
)

func TestHostsAndSharedHosts(t *testing.T) {
	for _, c := range []struct {
		origins, host, hosts string
		shared, https        bool
	}{
		{"https://shop.example.com", "", "shop.example.com", false, true},
		{"https://shop.example.com", "api.example.com", "api.example.com", true, true},
		{"https://shop.example.com", "shop.example.com", "shop.example.com", false, true},
		{"https://shop.example.com:8443", "", "shop.example.com", false, true},
		{"http://localhost:3000 http://localhost:8080", "", "localhost", true, false},
		{"http://shop.coatcheck.localhost:8080 http://localhost:8080", "", "shop.coatcheck.localhost localhost", false, false},
		{"http://[::1]:8080", "", "[::1]", false, false},
		{"http://127.0.0.1", "", "127.0.0.1", false, false},
	} {
		f := &configs.Frontend{Origins: strings.Fields(c.origins), Host: c.host}
		if got := strings.Join(f.Hosts(), " "); got != c.hosts || f.SharedHost() != c.shared || f.IsHTTPS() != c.https {
			t.Errorf("%+v: hosts %q, shared %v, https %v", c, got, f.SharedHost(), f.IsHTTPS())
		}
		if want := map[bool]string{true: "https", false: "http"}[c.https]; f.Scheme() != want {
			t.Errorf("%+v: scheme %s", c, f.Scheme())
		}
	}
}

func TestAHostIsSharedWhereSeveralOriginsCall(t *testing.T) {
	c := &configs.Config{Frontends: map[string]*configs.Frontend{
		"shop":  {Origins: []string{"https://shop.example.com"}, Host: "api.example.com"},
		"admin": {Origins: []string{"https://admin.example.com"}},
		"two":   {Origins: []string{"https://two.example.com"}, BasePath: "/a"},
		"too":   {Origins: []string{"https://two.example.com"}, BasePath: "/b"},
		"ports": {Origins: []string{"http://localhost:1", "http://localhost:2"}},
	}}
	for host, want := range map[string]bool{
		"api.example.com": true, "admin.example.com": false, "two.example.com": false, "localhost": true, "shop.example.com": false, "unknown": false,
	} {
		if got := c.SharedHost(host); got != want {
			t.Errorf("%s shared: %v, want %v", host, got, want)
		}
	}
}

func TestOptionalFields(t *testing.T) {
	l := configs.FrontendLogin{Fields: []string{"email", "password", "otp?"}}
	s := configs.Step{Fields: []string{"code", "trust?"}}
	if got := fmt.Sprint(l.FieldNames(), s.FieldNames()); got != "[email password otp] [code trust]" {
		t.Error(got)
	}
	if l.Optional("email") || !l.Optional("otp") || l.Optional("otp?") || s.Optional("code") || !s.Optional("trust") {
		t.Error("optional fields are mixed up")
	}
}

// TestTheAddressThatSignersKnow: a door's is https whatever its host, pages' is their origin
// or the host that they call.
func TestTheAddressThatSignersKnow(t *testing.T) {
	shop := []string{"https://shop.example.com:8443"}
	for _, row := range []struct {
		f    configs.Frontend
		want string
	}{
		{configs.Frontend{Host: "hooks.example.com"}, "https://hooks.example.com"},
		{configs.Frontend{Host: "hooks.localhost"}, "https://hooks.localhost"},
		{configs.Frontend{Host: "hooks.example.com:8443"}, "https://hooks.example.com:8443"},
		{configs.Frontend{Origins: shop}, shop[0]},
		{configs.Frontend{Origins: shop, Host: "api.example.com"}, "https://api.example.com"},
		{configs.Frontend{Origins: []string{"http://shop.localhost:8080"}}, "http://shop.localhost:8080"},
		{configs.Frontend{Origins: []string{"http://shop.localhost"}, Host: "api.localhost"}, "http://api.localhost"},
		{configs.Frontend{Origins: []string{"https://*.shop.example.com", shop[0]}}, shop[0]},
		{configs.Frontend{Origins: []string{"https://*.shop.example.com"}}, ""},
	} {
		if got := row.f.KnownBase(); got != row.want {
			t.Errorf("%q %q: %q, want %q", row.f.Origins, row.f.Host, got, row.want)
		}
	}
}
