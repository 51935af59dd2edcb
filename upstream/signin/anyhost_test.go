package signin_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/upstream"
	"coatcheck/upstream/signin"
)

func newClient(t *testing.T, o signin.ClientOptions) *signin.Client {
	t.Helper()
	c, err := signin.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestClientIsGuarded: no cookies from one answer to the next request, no redirects, no
// second try, no proxy of the environment.
func TestClientIsGuarded(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		calls++
		if q.Header.Get("Cookie") != "" || q.Header.Get("User-Agent") != "Coatcheck" || q.Header.Get("Accept") != "application/json" {
			t.Errorf("%v", q.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		http.Redirect(w, q, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	c := newClient(t, signin.ClientOptions{})
	for range 2 {
		got, err := c.Ask(context.Background(), signin.URLRequest{Method: http.MethodPost, URL: server.URL + "/token", Form: url.Values{"code": {"x"}}})
		if err != nil || got.Status != http.StatusTemporaryRedirect {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if calls != 2 {
		t.Errorf("%d requests", calls)
	}
}

// TestClientBounds: an answer that is too long is no answer, whole or in pieces.
func TestClientBounds(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		for range 40 {
			_, _ = w.Write([]byte(strings.Repeat("x", 1000)))
			if q.URL.Path == "/pieces" {
				w.(http.Flusher).Flush()
			}
		}
	}))
	defer server.Close()
	c := newClient(t, signin.ClientOptions{Limit: 30_000})
	for _, path := range []string{"/whole", "/pieces"} {
		if _, err := c.Ask(context.Background(), signin.URLRequest{URL: server.URL + path}); !errors.Is(err, upstream.ErrInvalid) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if got, err := newClient(t, signin.ClientOptions{Limit: 40_000}).Ask(context.Background(), signin.URLRequest{URL: server.URL}); err != nil || len(got.Body) != 40_000 {
		t.Error(err)
	}
}

// TestClientDials: another address than the name's, with the name's own certificate; and
// no address that Allow refuses, whatever name leads there.
func TestClientDials(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { _, _ = w.Write([]byte(q.Host)) }))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	var host string
	allow := func(name string, addr netip.Addr) error {
		host = name
		if name != "example.com" || !addr.IsLoopback() {
			return upstream.ErrForbiddenAddress
		}
		return nil
	}
	c := newClient(t, signin.ClientOptions{CA: ca, Addresses: map[string]string{"example.com": server.Listener.Addr().String()}, Allow: allow})
	got, err := c.Ask(context.Background(), signin.URLRequest{URL: "https://Example.com/x"})
	if err != nil || host != "example.com" || !strings.EqualFold(string(got.Body), "example.com") {
		t.Errorf("%v, %q", err, host)
	}
	if _, err := c.Ask(context.Background(), signin.URLRequest{URL: server.URL}); !errors.Is(err, upstream.ErrUnreachable) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("%v", err)
	}
	if _, err := newClient(t, signin.ClientOptions{}).Ask(context.Background(), signin.URLRequest{URL: server.URL}); !errors.Is(err, upstream.ErrUnreachable) || !strings.Contains(err.Error(), "not trusted") {
		t.Errorf("%v", err)
	}
	if _, err := signin.NewClient(signin.ClientOptions{CA: "nowhere.pem"}); err == nil {
		t.Error("a file that is not there is fine")
	}
}
