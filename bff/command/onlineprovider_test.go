package command

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
)

// TestProviderOnline: what an operator learns of a provider, and the line to paste
// where its issuer is written otherwise.
func TestProviderOnline(t *testing.T) {
	var idp *provider.Provider
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { idp.ServeHTTP(w, r) }))
	defer server.Close()
	var err error
	if idp, err = provider.New(provider.Options{Issuer: server.URL}); err != nil {
		t.Fatal(err)
	}
	c := &configs.Provider{Issuer: server.URL, ProviderClient: configs.ProviderClient{ClientID: "a"}, Scopes: []string{"openid"}, ProviderConnection: configs.ProviderConnection{ConnectTimeout: time.Minute}}
	look := func() (string, error) {
		lines, err := providerOnline(context.Background(), "id", c)
		return strings.Join(lines, "\n"), err
	}
	said, err := look()
	for _, want := range []string{"3 keys", "clock: ", "PKCE S256: yes", "pushed requests: yes", "DPoP: yes", "iss in answers: yes", "back-channel logout: yes", "sign-out there: yes"} {
		if err != nil || !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s\n%v", want, said, err)
		}
	}
	if !strings.Contains(said, "ms, 3 keys") { // never in a unit that is not ASCII
		t.Error(said)
	}
	if idp, err = provider.New(provider.Options{Issuer: server.URL, NoPAR: true}); err != nil {
		t.Fatal(err)
	}
	c.PAR = "required"
	if said, err = look(); err == nil || !strings.Contains(err.Error(), "takes no pushed requests") || !strings.Contains(said, "pushed requests: no") {
		t.Errorf("%v\n%s", err, said)
	}
	c.PAR, c.Userinfo = "auto", true
	idp.Commit(provider.DiscoveryNoUserinfo)
	if _, err = look(); err == nil || !strings.Contains(err.Error(), "no userinfo endpoint") {
		t.Error(err)
	}
	c.Userinfo = false
	idp.Commit(provider.DiscoveryHMACOnly)
	if _, err = look(); err == nil || !strings.Contains(err.Error(), "no algorithm") {
		t.Error(err)
	}
	idp.Commit(provider.DiscoveryIssuerSlash)
	if said, err = look(); err == nil || !strings.Contains(said, "issuer: "+server.URL+"/") {
		t.Errorf("%v\n%s", err, said)
	}
	idp.Commit(provider.KeysGarbage)
	if _, err = look(); err == nil {
		t.Error("garbage instead of keys is fine")
	}
	server.Close()
	freeport.Keep(t, server.Listener.Addr())
	if _, err = look(); err == nil {
		t.Error("nobody is there, and all is well")
	}
}
