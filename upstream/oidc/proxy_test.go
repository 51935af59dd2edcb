package oidc_test

import (
	"errors"
	"strings"
	"testing"

	"coatcheck/bff/credential"
	proxies "coatcheck/bff/rig"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/oidc"
)

// TestProviderThroughProxy: discovery, keys and tokens go through the configured proxy,
// and through nothing else.
func TestProviderThroughProxy(t *testing.T) {
	r := newRig(t, nil)
	host := r.server.Listener.Addr().String()
	proxy := proxies.NewProxy(t, host, false)
	r.config.Proxy = credential.NewSecret(strings.Replace(proxy.URL, "http://", "http://ada:p%40ss@", 1))
	r.client = r.newClient()
	r.mustSignIn(nil, nil)
	if len(proxy.Asked()) == 0 {
		t.Fatal("the proxy was not asked")
	}
	for _, asked := range proxy.Asked() {
		if asked.Method != "CONNECT" || asked.Host != host || asked.Header.Get("Proxy-Authorization") != "Basic YWRhOnBAc3M=" {
			t.Errorf("the proxy was asked %s %s %v", asked.Method, asked.Host, asked.Header)
		}
	}
	proxy.Refuse = 407
	r.client = r.newClient()
	if _, err := r.signIn(nil, nil); !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("a proxy that refuses: %v", err)
	}
	r.config.Proxy = credential.NewSecret("socks5://ada:s3cret@localhost")
	if _, err := oidc.New("test", r.config, oidc.Options{}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no proxy's URL: %v", err)
	}
}

// TestReachByName: a proxy resolves names, so those that only the metadata has must be public.
func TestReachByName(t *testing.T) {
	c := &configs.Provider{Issuer: "https://id.corp", ProviderConnection: configs.ProviderConnection{Addresses: map[string]string{"mapped": "10.0.0.1:1"}}}
	for host, good := range map[string]bool{
		"id.corp": true, "mapped": true, "keys.example.com": true, "x.github.io": true, "8.8.8.8": true, "2606:4700::1111": true,
		"db": false, "localhost": false, "db.internal": false, "x.local": false, "com": false, "co.uk": false, "10.0.0.1": false, "::1": false, "127.0.0.1": false, "169.254.169.254": false, "": false,
	} {
		if err := oidc.ReachByName(c)(host); (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
}
