package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestParseProxy: a proxy's URL says where it is and with which password, and nothing
// prints that.
func TestParseProxy(t *testing.T) {
	for raw, want := range map[string]string{"http://p:3128": "p:3128", "http://p/": "p:80", "https://p": "p:443", "http://u:pw@[::1]:3128": "[::1]:3128",
		"p:3128": "", "socks5://p": "", "http://": "", "http://p/x": "", "http://p?x": "", "http://u:p%zz@p": "", "//p": ""} {
		p, err := ParseProxy(raw)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s is taken", raw)
		case err != nil && strings.Contains(err.Error(), "pw"):
			t.Errorf("%s: %v", raw, err)
		case want != "" && (err != nil || p.Name() != want):
			t.Errorf("%s: %v %v", raw, p, err)
		}
		if all := fmt.Sprintf("%v %+v %#v %s", p, p, p, p); p != nil && strings.Contains(all, "pw") {
			t.Error("the password is printed")
		}
	}
	if p, err := ParseProxy(""); p != nil || err != nil {
		t.Errorf("none: %v %v", p, err)
	}
}

// TestSecureProxy: a proxy that speaks TLS is held against its own name, and the API
// behind its tunnel against the API's.
func TestSecureProxy(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the API") }))
	t.Cleanup(api.Close)
	proxy := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		from, _, _ := w.(http.Hijacker).Hijack()
		to, _ := net.Dial("tcp", api.Listener.Addr().String())
		_, _ = io.WriteString(from, "HTTP/1.1 200 Fine\r\nX-More: 1\r\n\r\n")
		go func() { _, _ = io.Copy(to, from) }() // ends with the connections
		_, _ = io.Copy(from, to)
	}))
	t.Cleanup(proxy.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(api.Certificate())
	trusted.AddCert(proxy.Certificate())
	_, port, _ := net.SplitHostPort(proxy.Listener.Addr().String())
	for name, known := range map[string]bool{"127.0.0.1": true, "localhost": false} { // httptest's certificate is for the address
		p, err := ParseProxy("https://" + name + ":" + port)
		if err != nil {
			t.Fatal(err)
		}
		p.secure.RootCAs = trusted
		address, _ := ParseURL("https://example.com")
		c, err := NewDialer(address, &tls.Config{RootCAs: trusted}, time.Minute).Through(p).Dial(t.Context(), nil)
		if (err == nil) != known {
			t.Fatalf("%s: %v", name, err)
		}
		if err != nil {
			if Reason(err) != "certificate is not trusted" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		_, _ = io.WriteString(c, "GET / HTTP/1.0\r\nHost: example.com\r\n\r\n")
		if all, _ := io.ReadAll(c); !strings.HasSuffix(string(all), "the API") {
			t.Errorf("%s: %q", name, all)
		}
		_ = c.Close()
	}
}

// TestProxyThatHangs: the dialer's time bounds the proxy's answer, too.
func TestProxyThatHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			defer c.Close()
		}
	}()
	p, _ := ParseProxy("http://" + l.Addr().String())
	address, _ := ParseURL("https://example.com")
	_, err = NewDialer(address, nil, 50*time.Millisecond).Through(p).Dial(t.Context(), nil)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// FuzzConnectAnswer: whatever a proxy answers, a tunnel is one only behind a 2xx, not a
// byte behind the head is read, and the bound holds.
func FuzzConnectAnswer(f *testing.F) {
	for _, seed := range []string{"HTTP/1.1 200 OK\r\n\r\nrest", "HTTP/1.0 407 no\n\n", "HTTP/1.1 20\r\n\r\n", "", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2 0 OK\r\n\r\n", strings.Repeat("x", 20000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		in := &counting{rest: answer}
		status, err := readConnectAnswer(in)
		if in.read > maxConnectAnswer {
			t.Errorf("%d bytes were read", in.read)
		}
		if err != nil {
			return
		}
		head := string(answer[:in.read])
		if !strings.HasPrefix(head, "HTTP/1.") || !strings.Contains(head, fmt.Sprintf(" %03d", status)) || strings.Contains(head, "\n\n") && !strings.HasSuffix(head, "\n\n") {
			t.Errorf("%q has status %d", head, status)
		}
	})
}

// counting is a connection that counts what was read.
type counting struct {
	net.Conn
	rest []byte
	read int
}

func (c *counting) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.rest)
	c.rest, c.read = c.rest[n:], c.read+n
	return n, nil
}
