package configs_test

import (
	"reflect"
	"testing"

	"coatcheck/configs"
)

const twoLayouts = `
sessions: {store: "redis://localhost:6379/0", keys: ["${COATCHECK_KEY}"]}
providers:
  id: {issuer: "https://id.example.net", client_id: a, client_secret: b}
  other: {issuer: "https://other.example.net/", client_id: a, client_secret: b}
upstreams: {api: {url: "https://api.example.net", dpop: true}}
frontends:
  www: {origins: ["https://www.example.com", "https://example.com"], login: {upstream: api, provider: id}}
  shop: {origins: ["https://shop.example.com"], host: bff.example.com, login: {upstream: api, provider: [id]}}
  desk: {origins: ["https://desk.example.com:9000"], host: "bff.example.com:8443", login: {upstream: api, provider: [id]}}
  blog: {origins: ["https://www.example.com"], base_path: /blog, login: {upstream: api, provider: [id]}}
`

// TestRegistrations: what an operator copies into the provider's forms.
func TestRegistrations(t *testing.T) {
	c, faults := parse(twoLayouts, nil)
	if c == nil {
		t.Fatal(faults)
	}
	want := []configs.Registration{
		{
			Provider: "id",
			Redirect: []string{"https://www.example.com/blog/bff/callback/id", "https://bff.example.com:8443/bff/callback/id", "https://bff.example.com/bff/callback/id",
				"https://www.example.com/bff/callback/id", "https://example.com/bff/callback/id"},
			PostLogout: []string{"https://www.example.com/blog/", "https://desk.example.com:9000/", "https://shop.example.com/", "https://www.example.com/"},
			BackChannel: []string{"https://www.example.com/blog/bff/backchannel-logout/id", "https://bff.example.com:8443/bff/backchannel-logout/id", "https://bff.example.com/bff/backchannel-logout/id",
				"https://www.example.com/bff/backchannel-logout/id", "https://example.com/bff/backchannel-logout/id"},
		},
		{Provider: "other"},
	}
	if got := c.Registrations(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

// TestPortOfASharedHost: on one's own machine browsers reach it at the listener's port,
// which need not be said again.
func TestPortOfASharedHost(t *testing.T) {
	for _, row := range []struct{ listen, tls, origin, host, want string }{
		{":8080", "", "http://shop.x.localhost:5173", "api.x.localhost", "http://api.x.localhost:8080"},
		{"127.0.0.1:8080", "", "http://shop.x.localhost:5173", "api.x.localhost:9000", "http://api.x.localhost:9000"},
		{":80", "", "http://shop.x.localhost:5173", "api.x.localhost", "http://api.x.localhost"},
		{"127.0.0.1:0", "", "http://shop.x.localhost:5173", "api.x.localhost", "http://api.x.localhost"},
		{"unix:/run/x.sock", "", "http://shop.x.localhost:5173", "api.x.localhost", "http://api.x.localhost"},
		{":8080", "", "http://localhost:5173", "localhost", "http://localhost:5173"},
		{":8080", "", "https://shop.example.com", "api.example.com", "https://api.example.com"},
		{":8443", "tls: {cert: a, key: b}", "https://shop.x.localhost:5173", "api.x.localhost", "https://api.x.localhost"},
	} {
		c, faults := parse(`
listen: "`+row.listen+`"
`+row.tls+`
sessions: {store: "redis://localhost:6379/0", keys: ["${COATCHECK_KEY}"]}
providers: {id: {issuer: "https://id.example.net", client_id: a, client_secret: b}}
upstreams: {api: {url: "https://api.example.net"}}
frontends:
  shop: {origins: ["`+row.origin+`"], host: "`+row.host+`", login: {upstream: api, provider: id}}
`, nil)
		if c == nil {
			t.Fatal(faults)
		}
		if got := c.Frontends["shop"].PublicURLs()[0]; got != row.want {
			t.Errorf("%+v: %s", row, got)
		}
	}
}

// TestProviderDefaults: an issuer stays byte for byte as it is, one name is a list,
// and a plain OAuth 2.0 provider is not asked for openid.
func TestProviderDefaults(t *testing.T) {
	c, faults := parse(`
sessions: {store: "redis://localhost:6379/0", keys: ["${COATCHECK_KEY}"]}
providers:
  id: {issuer: "https://id.example.net/", client_id: a, client_assertion: "${file:/run/assertion}"}
  plain: {authorization: "https://p.example/a", token: "https://p.example/t", client_id: a, client_secret: b, user: {url: "https://p.example/u"}}
upstreams: {api: {url: "https://api.example.net"}}
frontends:
  www: {origins: ["https://www.example.com"], login: {upstream: api, provider: id}}
  shop: {origins: ["https://shop.example.com"], login: {upstream: api, provider: [id, plain]}}
`, nil)
	if c == nil {
		t.Fatal(faults)
	}
	id, plain := c.Providers["id"], c.Providers["plain"]
	if id.Issuer != "https://id.example.net/" || !id.IsOpenID() || id.ClientAssertion.Path != "/run/assertion" || len(c.Frontends["www"].Login.Provider) != 1 {
		t.Errorf("%+v", id)
	}
	if len(plain.Scopes) != 0 || plain.IsOpenID() || plain.User.Subject != "/id" {
		t.Errorf("%+v", plain)
	}
}
