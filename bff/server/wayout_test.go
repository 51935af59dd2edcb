package server_test

import (
	"encoding/base64"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// behind is the usual house with another address of the API, and more lines.
func behind(address, more string) settings {
	return settings{edit: func(yaml string) string {
		return replaced(yaml, `    url: "${API}"`+"\n", `    url: "`+address+`"`+"\n"+more)
	}}
}

// TestPlainProxy: an API over plain http is asked in absolute form, by sign-ins and by
// calls alike; the proxy gets its password, and the API none of it.
func TestPlainProxy(t *testing.T) {
	api := rig.NewAPI(t)
	proxy := rig.NewProxy(t, strings.TrimPrefix(api.URL, "http://"), false)
	at, _ := url.Parse(proxy.URL)
	h := open(t, behind("http://api.inner.test:9000/base", "    insecure_http: true\n    proxy: \"http://us%40er:p%3Aw@"+at.Host+"\"\n"))
	api.Say(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/base/auth/login" {
			_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + `","user":{"id":"7"}}`))
		}
	})
	cookie := h.signIn("ada@x.test")
	h.want(h.call("POST /api/x?a=1\n\nbody", cookie, shop, xcsrf, "Proxy-Authorization: mine"), 200, "")
	asked := proxy.Asked()
	if len(asked) != 2 || asked[0].URI != "http://api.inner.test:9000/base/auth/login" || asked[1].URI != "http://api.inner.test:9000/base/api/x?a=1" || asked[1].Host != "api.inner.test:9000" {
		t.Fatalf("the proxy was asked %+v", asked)
	}
	for _, a := range asked {
		if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("us@er:p:w")); a.Header.Get("Proxy-Authorization") != want || len(a.Header["Proxy-Authorization"]) != 1 {
			t.Errorf("%s: %q", a.URI, a.Header["Proxy-Authorization"])
		}
	}
	if in := api.Last(t); in.Host != "api.inner.test:9000" || in.Body != "body" || in.Header["Proxy-Authorization"] != nil {
		t.Errorf("the API got %+v", in)
	}
	proxy.Refuse = 407
	if got := h.call("GET /api/x", cookie, sameOrign); got.StatusCode != 502 || got.Header["Proxy-Authenticate"] != nil {
		t.Errorf("a proxy that wants other credentials: %d", got.StatusCode)
	}
}

// TestTunnelThroughProxy: an API over https is reached through a tunnel, its certificate
// is the API's own, and a proxy that refuses is the reason that the log names.
func TestTunnelThroughProxy(t *testing.T) {
	var host string
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host = r.Host
		_, _ = w.Write([]byte(`{"access_token":"` + rig.TokenMark + `","user":{"id":"7"}}`))
	}))
	t.Cleanup(api.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := rig.NewProxy(t, api.Listener.Addr().String(), false)
	h := open(t, behind("https://example.com", "    ca: "+ca+"\n    proxy: \"http://user:pass-MARKED@"+strings.TrimPrefix(proxy.URL, "http://")+"\"\n"))
	cookie := h.signIn("ada@x.test")
	h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
	asked := proxy.Asked()
	if len(asked) != 2 || asked[0].Method != "CONNECT" || asked[0].Host != "example.com:443" || asked[1].Header.Get("Proxy-Authorization") == "" || host != "example.com" {
		t.Fatalf("the proxy was asked %+v; the API was called %s", asked, host)
	}
	for status, reason := range map[int]string{407: "the proxy wants other credentials", 403: "the proxy refused, with status 403"} {
		proxy.Refuse = status
		proxy.CloseClientConnections()
		api.CloseClientConnections()
		h.want(h.call("GET /api/x", cookie, sameOrign), 502, "upstream_unreachable")
		h.want(h.call("POST /bff/login\n\n"+loginBody("ada@x.test", rig.PasswordMark), shop, xcsrf, json_), 502, "upstream_unreachable")
		if !strings.Contains(h.logs.String(), reason) {
			t.Errorf("the log does not say %q", reason)
		}
	}
	if strings.Contains(h.logs.String(), "MARKED") {
		t.Error("the log holds the proxy's password")
	}
	proxy.Close()
	freeport.Keep(t, proxy.Listener.Addr())
	h.want(h.call("GET /api/x", cookie, sameOrign), 502, "upstream_unreachable")
}

// TestAPIBehindSocket: an API on a Unix socket is called localhost, below its base path.
func TestAPIBehindSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "a.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	uris := make(chan string, 8)
	api := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test's
		uris <- r.Host + r.RequestURI + " " + r.Header.Get("Forwarded")
		w.Header().Set("Location", "http://localhost/v1/api/y")
		_, _ = w.Write([]byte(`{"access_token":"t","user":{"id":"7"}}`))
	})}
	go func() { _ = api.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = api.Close() })
	h := open(t, behind("unix:"+socket+":/v1", "    forwarded: rfc7239\n"))
	cookie := h.signIn("ada@x.test")
	<-uris
	got := h.call("GET /api/x", cookie, sameOrign, "Forwarded: for=6.6.6.6")
	if in := <-uris; in != `localhost/v1/api/x for=127.0.0.1;host="shop.example.com";proto=https` || got.Header.Get("Location") != "/api/y" {
		t.Errorf("the API got %q; Location %q", in, got.Header.Get("Location"))
	}
}
