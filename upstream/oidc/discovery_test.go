package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	rigs "coatcheck/bff/rig"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

// TestProviderIsAwayAtTheStart: it does no harm, and the next sign-in tries again.
func TestProviderIsAwayAtTheStart(t *testing.T) {
	r := newRig(t, nil)
	ctx := context.Background()
	r.idp.Commit(provider.DiscoveryAway)
	if _, err := r.client.Authorize(ctx, request()); !errors.Is(err, oidc.ErrFailed) {
		t.Fatal(err)
	}
	if _, err := r.client.Authorize(ctx, request()); err == nil || len(r.requests("/.well-known/openid-configuration")) != 1 {
		t.Errorf("who fails at once asks at once again: %d requests, %v", len(r.requests("/.well-known/openid-configuration")), err)
	}
	r.idp.Commit()
	r.clock.advance(time.Second)
	r.mustSignIn(nil, nil)
}

// TestNamesAsTheyAreWritten: a name in other letters is another name, at every depth.
func TestNamesAsTheyAreWritten(t *testing.T) {
	const good = `{"issuer":"https://id.example.net","authorization_endpoint":"https://id.example.net/a","token_endpoint":"https://id.example.net/t","jwks_uri":"https://id.example.net/k"`
	c := &configs.Provider{Issuer: "https://id.example.net"}
	for more, taken := range map[string]bool{
		``:                              true,
		`,"Token_Endpoint":"x"`:         true,
		`,"uſerinfo_endpoint":"x"`:      true,
		`,"userinfo_endpoint":"x"`:      false,
		`,"mtls_endpoint_aliases":null`: true,
		`,"mtls_endpoint_aliases":"x"`:  false,
		`,"mtls_endpoint_aliases":{"Token_Endpoint":"x","uſerinfo_endpoint":"x"}`: true,
		`,"mtls_endpoint_aliases":{"token_endpoint":"x"}`:                         false,
	} {
		if _, err := oidc.ParseMetadata([]byte(good+more+"}"), c); (err == nil) != taken {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// TestNobodyListens: it is the provider's absence, not its fault.
func TestNobodyListens(t *testing.T) {
	r := newRig(t, nil)
	r.goAway()
	if _, err := r.client.Authorize(context.Background(), request()); !errors.Is(err, upstream.ErrUnreachable) || errors.Is(err, oidc.ErrFailed) {
		t.Error(err)
	}
}

// TestLastGoodSet: what was known before serves for a day while fetching fails, and is
// asked for again every half minute; then nobody relies on it any more.
func TestLastGoodSet(t *testing.T) {
	r := newRig(t, nil)
	r.mustSignIn(nil, nil)
	r.idp.Commit(provider.DiscoveryAway, provider.KeysAway)
	r.clock.advance(time.Hour)
	r.forget()
	for range 3 {
		r.mustSignIn(nil, nil)
	}
	if n := len(r.requests("/.well-known/openid-configuration")); n != 1 {
		t.Errorf("asked %d times at once", n)
	}
	r.clock.advance(30 * time.Second)
	r.mustSignIn(nil, nil)
	if n := len(r.requests("/.well-known/openid-configuration")); n != 2 {
		t.Errorf("asked %d times after half a minute", n)
	}
	r.clock.advance(22 * time.Hour)
	r.mustSignIn(nil, nil)
	if age, known := r.client.KeysAge(); !known || age < 23*time.Hour {
		t.Error(age, known)
	}
	r.clock.advance(2 * time.Hour)
	if _, err := r.signIn(nil, nil); err == nil {
		t.Error("keys of the day before yesterday are good")
	}
	r.idp.Commit()
	r.clock.advance(time.Minute)
	r.mustSignIn(nil, nil)
}

// TestMetadataIsFetchedOnce: by one request for all who wait.
func TestMetadataIsFetchedOnce(t *testing.T) {
	r := newRig(t, nil)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := r.client.Authorize(context.Background(), request()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := len(r.requests("/.well-known/openid-configuration")); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestSigningKeyRotation is oidcc-client-test-signing-key-rotation: the very sign-ins
// that meet the new key succeed, many at once, with one fetch; and keys that nobody
// publishes lead to no more than one fetch in half a minute.
func TestSigningKeyRotation(t *testing.T) {
	r := newRig(t, nil)
	r.mustSignIn(nil, nil)
	if err := r.idp.Rotate(); err != nil {
		t.Fatal(err)
	}
	r.forget()
	r.manySignIns(12, true)
	if n := len(r.requests("/keys")); n != 1 {
		t.Errorf("keys were fetched %d times for one rotation", n)
	}
	r.idp.Commit(provider.KidUnknown)
	r.manySignIns(5, false)
	if n := len(r.requests("/keys")); n != 1 {
		t.Errorf("keys were fetched %d times within half a minute", n)
	}
	r.clock.advance(30 * time.Second)
	r.manySignIns(5, false)
	if n := len(r.requests("/keys")); n != 2 {
		t.Errorf("keys were fetched %d times after half a minute", n)
	}
}

func (r *rig) manySignIns(n int, good bool) {
	r.t.Helper()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if _, err := r.signIn(nil, nil); (err == nil) != good {
				r.t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
}

// TestMovedEndpoint: a token endpoint that is at another host one day is a security
// event; codes and secrets go where they went before.
func TestMovedEndpoint(t *testing.T) {
	r := newRig(t, nil)
	r.mustSignIn(nil, nil)
	r.idp.Commit(provider.DiscoveryMoved)
	r.clock.advance(2 * time.Hour)
	r.mustSignIn(nil, nil)
	rigs.Until(t, "that somebody is told", func() bool { // the sign-in waits for the new metadata for a second only
		text := r.log.String()
		return strings.Contains(text, `"event":"security"`) && strings.Contains(text, "token_endpoint") && strings.Contains(text, "evil.example")
	})
	if m, err := r.client.Metadata(context.Background()); err != nil || m.Token != r.config.Issuer+"/token" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := r.newClient().Metadata(context.Background()); err != nil || m.Token != "https://evil.example/token" {
		t.Errorf("after a reload it is what the provider says: %+v, %v", m, err)
	}
}

// TestIssuerWithAPathAndASlash: the metadata's address loses the slash, the issuer not.
func TestIssuerWithAPathAndASlash(t *testing.T) {
	for issuer, want := range map[string]string{"": "/.well-known/openid-configuration", "/": "/.well-known/openid-configuration",
		"/realms/main": "/realms/main/.well-known/openid-configuration", "/realms/main/": "/realms/main/.well-known/openid-configuration"} {
		asked := make(chan string, 1)
		var server *httptest.Server
		server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			asked <- q.URL.Path
			_, _ = w.Write([]byte(`{"issuer":"` + server.URL + issuer + `","authorization_endpoint":"` + server.URL + `/a","token_endpoint":"` + server.URL + `/t","jwks_uri":"` + server.URL + `/k"}`))
		}))
		p, err := oidc.New("test", &configs.Provider{Issuer: server.URL + issuer, ProviderClient: configs.ProviderClient{ClientID: "a"}, Scopes: []string{"openid"}}, oidc.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Metadata(context.Background()); err != nil {
			t.Errorf("%q: %v", issuer, err)
		}
		if got := <-asked; got != want {
			t.Errorf("%q: %q", issuer, got)
		}
		p.Close()
		server.Close()
	}
}

// TestAddresses: a split horizon dials elsewhere and says the same name.
func TestAddresses(t *testing.T) {
	var host string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		host = q.Host
		_, _ = w.Write([]byte(`{"issuer":"http://id.example.net","authorization_endpoint":"https://id.example.net/a","token_endpoint":"http://id.example.net/t","jwks_uri":"http://id.example.net/k"}`))
	}))
	defer server.Close()
	p, err := oidc.New("test", &configs.Provider{Issuer: "http://id.example.net", ProviderConnection: configs.ProviderConnection{InsecureHTTP: true, Addresses: map[string]string{"id.example.net": server.Listener.Addr().String()}}, ProviderClient: configs.ProviderClient{ClientID: "a"}, Scopes: []string{"openid"}}, oidc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.Metadata(context.Background()); err != nil || host != "id.example.net" {
		t.Errorf("%q, %v", host, err)
	}
}

// TestSlowProvider: whoever gives up leaves the others waiting for the same answer.
func TestSlowProvider(t *testing.T) {
	r := newRig(t, nil)
	ready := make(chan struct{})
	r.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		<-ready
		r.idp.ServeHTTP(w, q)
	})
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		_, err := r.client.Metadata(ctx)
		gone <- err
	}()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(ready)
	if _, err := r.client.Metadata(context.Background()); err != nil {
		t.Error(err)
	}
	if n := len(r.requests("/.well-known/openid-configuration")); n > 2 {
		t.Errorf("%d requests", n)
	}
}
