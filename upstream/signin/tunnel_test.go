package signin_test

import (
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"coatcheck/bff/rig"
	"coatcheck/upstream"
	"coatcheck/upstream/signin"
)

// TestClientThroughProxy: TLS is spoken with the server through the tunnel, and its name
// is verified.
func TestClientThroughProxy(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") }))
	t.Cleanup(server.Close)
	host := server.Listener.Addr().String()
	proxy := rig.NewProxy(t, host, false)
	through, err := upstream.ParseProxy(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for ca, good := range map[string]bool{file: true, "": false} {
		c, err := signin.NewClient(signin.ClientOptions{CA: ca, Proxy: through})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		got, err := c.Ask(context.Background(), signin.URLRequest{URL: server.URL})
		if good && (err != nil || string(got.Body) != "here") || !good && err == nil {
			t.Errorf("good %v: %v %v", good, got, err)
		}
	}
	if asked := proxy.Asked(); len(asked) != 2 || asked[0].Method != "CONNECT" || asked[0].Host != host {
		t.Errorf("the proxy was asked %v", asked)
	}
}
