package signin_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/signin"
)

// rawAPI listens with plain sockets, and handles each connection as it likes.
func rawAPI(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { _ = l.Close(); <-done })
	go func() { // ends when the test closes the listener
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			handle(c)
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

// noSuchName is no name that DNS could have (RFC 1035 section 2.3.4: labels of 63 bytes at
// most), so that no resolver is asked.
var noSuchName = strings.Repeat("x", 64) + ".invalid"

// saying reads a request's head and some, then says text.
func saying(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, text)
	}
}

func plainAt(t *testing.T, url string, change func(*configs.Upstream)) *signin.Upstream {
	t.Helper()
	cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(strings.TrimSpace(plain), "\n", "\n  "))
	cfg["api"].URL, cfg["api"].ConnectTimeout = url, time.Minute // unless change says less
	if change != nil {
		change(cfg["api"])
	}
	return newSet(t, cfg).Get("api")
}

// What happens when no whole, well-formed answer comes.
func TestControlUnreachable(t *testing.T) {
	closed := rawAPI(t, func(net.Conn) {})
	nobody := "127.0.0.1:" + freeport.Text(t)
	reset := rawAPI(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 16))
		_ = c.(*net.TCPConn).SetLinger(0)
	})
	tlsAPI := newStandIn(t, reply{status: 200, body: `{"token":"a"}`})
	plainAPI := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plainAPI.Close)
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10} //nolint:gosec // what must be refused
	old.Config.ErrorLog = tlsAPI.Config.ErrorLog
	old.StartTLS()
	t.Cleanup(old.Close)

	for name, c := range map[string]struct {
		url  string
		want string
		ca   string
	}{
		"refused":              {"http://" + nobody, "upstream_unreachable", ""},
		"closed at once":       {"http://" + closed, "upstream_unreachable", ""},
		"reset":                {"http://" + reset, "upstream_unreachable", ""},
		"no such name":         {"http://" + noSuchName, "upstream_unreachable", ""},
		"unknown authority":    {tlsAPI.URL, "upstream_unreachable", ""},
		"TLS to plain":         {strings.Replace(plainAPI.URL, "http:", "https:", 1), "upstream_unreachable", ""},
		"TLS 1.1":              {old.URL, "upstream_unreachable", writePEM(t, "ca.pem", "CERTIFICATE", old.Certificate().Raw)},
		"body breaks off":      {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"token\":\"a\"}")), "upstream_unreachable", ""},
		"chunk breaks off":     {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"token\":\"a\"}\r\n")), "upstream_unreachable", ""},
		"no HTTP":              {"http://" + rawAPI(t, saying("SSH-2.0-OpenSSH_9.6\r\n")), "upstream_invalid", ""},
		"odd status":           {"http://" + rawAPI(t, saying("HTTP/1.1 abc\r\n\r\n")), "upstream_invalid", ""},
		"endless head":         {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\n"+strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 300))), "upstream_invalid", ""},
		"gzip that is none":    {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz")), "upstream_invalid", ""},
		"gzip that was cut":    {"http://" + rawAPI(t, saying(zipped(cutShort))), "upstream_invalid", ""},
		"gzip that breaks off": {"http://" + rawAPI(t, saying(zipped(brokenOff))), "upstream_unreachable", ""},
		"gzip of too much":     {"http://" + rawAPI(t, saying(zipped(bomb))), "upstream_invalid", ""},
		"length that is a lie": {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{\"token\":\"a\"}")), "upstream_unreachable", ""},
		"two lengths":          {"http://" + rawAPI(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Length: 14\r\n\r\n{\"token\":\"a\"}")), "upstream_invalid", ""},
	} {
		t.Run(name, func(t *testing.T) {
			u := plainAt(t, c.url, func(up *configs.Upstream) { up.CA = c.ca })
			in, err := signIn(u)
			if got := fate(in, err); got != c.want {
				t.Errorf("sign-in: %s (%v), want %s", got, err, c.want)
			}
			_, err = u.Refresh(t.Context(), holding("refresh_token", "r"), browser(), now)
			if got := fate(nil, err); got != c.want {
				t.Errorf("refresh: %s (%v), want %s", got, err, c.want)
			}
			if err := u.SignOut(t.Context(), holding("access_token", "a"), browser()); err == nil {
				t.Error("sign-out noticed nothing")
			}
		})
	}
}

// An API that is slow to answer is a timeout, whoever set the time; a person who
// leaves is no fault of the API.
func TestSlow(t *testing.T) {
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	api := newStandIn(t, reply{status: 200, delay: never})
	u := plainAt(t, api.URL, func(c *configs.Upstream) {
		c.CA = api.ca
		c.Login.Timeout, c.Refresh.Timeout, c.Logout.Timeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	})
	if _, err := signIn(u); !errors.Is(err, upstream.ErrTimeout) {
		t.Errorf("sign-in: %v", err)
	}
	if _, err := u.Refresh(t.Context(), holding("refresh_token", "r"), browser(), now); !errors.Is(err, upstream.ErrTimeout) {
		t.Errorf("refresh: %v", err)
	}
	if err := u.SignOut(t.Context(), holding("access_token", "a"), browser()); !errors.Is(err, upstream.ErrTimeout) {
		t.Errorf("sign-out: %v", err)
	}
	patient := plainAt(t, api.URL, func(c *configs.Upstream) { c.CA = api.ca })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := patient.Ways.SignIn(ctx, person(), browser(), now); !errors.Is(err, upstream.ErrTimeout) {
		t.Errorf("the caller's time: %v", err)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	_, err := patient.Ways.SignIn(ctx, person(), browser(), now)
	if !errors.Is(err, context.Canceled) || errors.Is(err, upstream.ErrTimeout) || errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("left: %v", err)
	}
}

// A connection that never stands is a timeout after connect_timeout, TLS included.
func TestControlConnectTimeout(t *testing.T) {
	release := make(chan struct{})
	deaf := rawAPI(t, func(net.Conn) { <-release })
	t.Cleanup(func() { close(release) })
	u := plainAt(t, "https://"+deaf, func(c *configs.Upstream) { c.ConnectTimeout = 50 * time.Millisecond })
	if _, err := signIn(u); !errors.Is(err, upstream.ErrTimeout) {
		t.Error(err)
	}
}

// Mutual TLS: the API is shown the certificate that the configuration names.
func TestControlClientCertificate(t *testing.T) {
	pair := newPair(t)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"token":"`+r.TLS.PeerCertificates[0].Subject.CommonName+`"}`)
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12}
	s.Config.ErrorLog = newStandIn(t, reply{}).Config.ErrorLog
	s.StartTLS()
	t.Cleanup(s.Close)
	ca := writePEM(t, "ca.pem", "CERTIFICATE", s.Certificate().Raw)
	without := plainAt(t, s.URL, func(c *configs.Upstream) { c.CA = ca })
	if _, err := signIn(without); !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("without: %v", err)
	}
	with := plainAt(t, s.URL, func(c *configs.Upstream) { c.CA, c.ClientCert, c.ClientKey = ca, pair.cert, pair.key })
	in, err := signIn(with)
	if err != nil || in.Credential.Value("access_token").Reveal() != "coatcheck" {
		t.Errorf("with: %v", err)
	}
}

// zipped is a compressed answer with a token, of which cut makes what is sent.
func zipped(cut func(body []byte) (sent []byte, length int)) string {
	sent, length := cut(compressed(`{"token":"a"}`))
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", length, sent)
}

func compressed(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// cutShort is a body of which the API itself lost the end, brokenOff one that lost it on
// its way, bomb one that grows beyond the bound.
func cutShort(body []byte) ([]byte, int) { return body[:len(body)-4], len(body) - 4 }

func brokenOff(body []byte) ([]byte, int) { return body[:len(body)-4], len(body) }

func bomb([]byte) ([]byte, int) {
	body := compressed(strings.Repeat(" ", 2<<20) + `{"token":"a"}`)
	return body, len(body)
}

// TestCompressed: an answer that is compressed unasked is read.
func TestCompressed(t *testing.T) {
	u := plainAt(t, "http://"+rawAPI(t, saying(zipped(func(body []byte) ([]byte, int) { return body, len(body) }))), func(*configs.Upstream) {})
	if in, err := signIn(u); err != nil || in.Credential.Value("access_token").Reveal() != "a" {
		t.Errorf("%v %v", in, err)
	}
}
