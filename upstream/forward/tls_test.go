package forward_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	a := &authority{pool: x509.NewCertPool()}
	a.cert, a.key = a.sign(t, "authority", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) sign(t *testing.T, name string, c *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber, c.Subject = big.NewInt(time.Now().UnixNano()), pkix.Name{CommonName: name}
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, parentKey := a.cert, a.key
	if parent == nil {
		parent, parentKey = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func (a *authority) pair(t *testing.T, name string) tls.Certificate {
	cert, key := a.sign(t, name, &x509.Certificate{DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// serveTLS is serveWire below TLS: script runs above it.
func serveTLS(t *testing.T, c *tls.Config, script func(p *wirePeer, secure *tls.Conn)) *wireAPI {
	return serveWire(t, func(p *wirePeer) {
		secure := tls.Server(p.Conn, c)
		if secure.Handshake() != nil {
			return
		}
		raw := p.Conn
		defer raw.Close()
		p.Conn, p.in = secure, bufio.NewReader(secure)
		script(p, secure)
	})
}

func overTLS(t *testing.T, api *wireAPI, c *tls.Config) *forward.Forwarder {
	return newForwarder(t, api, func(o *forward.Options) {
		o.Dialer = dialTLS(api.url().Host, c, connectTimeout)
	})
}

func TestTLS(t *testing.T) {
	ours, theirs := newAuthority(t), newAuthority(t)
	server := func(change func(*tls.Config)) *tls.Config {
		c := &tls.Config{Certificates: []tls.Certificate{ours.pair(t, "api.example.net")}}
		if change != nil {
			change(c)
		}
		return c
	}
	asksForCert := func(c *tls.Config) { c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, ours.pool }
	for _, c := range []struct {
		name   string
		server *tls.Config
		client *tls.Config
		says   string // in the error; empty: it works
	}{
		{name: "1.3", server: server(nil), client: &tls.Config{RootCAs: ours.pool}},
		{name: "1.2", server: server(func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }), client: &tls.Config{RootCAs: ours.pool}},
		{name: "1.1", server: server(func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }), client: &tls.Config{RootCAs: ours.pool, MinVersion: tls.VersionTLS10}, says: "the server refused the TLS handshake"},
		{name: "by name", server: server(nil), client: &tls.Config{RootCAs: ours.pool, ServerName: "api.example.net"}},
		{name: "by another name", server: server(nil), client: &tls.Config{RootCAs: ours.pool, ServerName: "evil.example.net"}, says: "not trusted"},
		{name: "another authority", server: server(nil), client: &tls.Config{RootCAs: theirs.pool}, says: "not trusted"},
		{name: "the system's authorities", server: server(nil), client: nil, says: "not trusted"},
		{name: "with our certificate", server: server(asksForCert), client: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{clientPair(t, ours)}}},
		{name: "without it", server: server(asksForCert), client: &tls.Config{RootCAs: ours.pool}, says: "the server refused the TLS handshake"},
		{name: "with another's", server: server(asksForCert), client: &tls.Config{RootCAs: ours.pool, Certificates: []tls.Certificate{clientPair(t, theirs)}}, says: "the server refused the TLS handshake"},
		{name: "it offers HTTP/2 too", server: server(func(c *tls.Config) { c.NextProtos = []string{"h2", "http/1.1"} }), client: &tls.Config{RootCAs: ours.pool, NextProtos: []string{"h2"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := serveTLS(t, c.server, func(p *wirePeer, secure *tls.Conn) {
				for r := p.request(); r != nil; r = p.request() {
					p.say(ok(r.URL.Path + secure.ConnectionState().NegotiatedProtocol))
				}
			})
			f := overTLS(t, api, c.client)
			for range 5 {
				got := get(f, "/")
				if c.says == "" && !strings.HasPrefix(got.body, "/") {
					t.Errorf("got %v", got)
				}
				if strings.Contains(got.body, "h2") {
					t.Error("HTTP/2 was agreed on")
				}
				if c.says != "" && (!errors.Is(got.err, upstream.ErrUnreachable) || !strings.Contains(got.err.Error(), c.says)) {
					t.Errorf("got %v, want %q", got, c.says)
				}
			}
			if n := api.dialled(); c.says == "" && n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
		})
	}
	t.Run("no TLS there", func(t *testing.T) {
		api := serveWire(t, func(p *wirePeer) { p.say("HTTP/1.1 400 Bad Request\r\n\r\n") })
		if got := get(overTLS(t, api, nil), "/"); !errors.Is(got.err, upstream.ErrUnreachable) {
			t.Error(got)
		}
	})
}

func clientPair(t *testing.T, a *authority) tls.Certificate {
	cert, key := a.sign(t, "coatcheck", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// A body without length ends with close_notify; the bare end of the connection,
// which anybody on the way could forge, is no end.
func TestTLSTruncation(t *testing.T) {
	ours := newAuthority(t)
	for name, c := range map[string]struct {
		notify bool
		err    error
	}{"close_notify": {true, nil}, "bare end": {false, io.ErrUnexpectedEOF}} {
		t.Run(name, func(t *testing.T) {
			server := &tls.Config{Certificates: []tls.Certificate{ours.pair(t, "api")}}
			api := serveTLS(t, server, func(p *wirePeer, secure *tls.Conn) {
				p.request()
				p.say("HTTP/1.1 200 OK\r\n\r\nhello")
				if c.notify {
					_ = secure.CloseWrite()
				}
			})
			got := get(overTLS(t, api, &tls.Config{RootCAs: ours.pool}), "/")
			if got.body != "hello" || !errors.Is(got.err, c.err) || c.err == nil && !got.whole {
				t.Error(got)
			}
		})
	}
}

// What waits on an idle connection makes it stale, also below or inside TLS: calls
// that may not be repeated go through.
func TestTLSClosedWhileIdle(t *testing.T) {
	ours := newAuthority(t)
	for name, end := range map[string]func(p *wirePeer, raw net.Conn, secure *tls.Conn){
		"close_notify":      func(_ *wirePeer, _ net.Conn, secure *tls.Conn) { _ = secure.CloseWrite() },
		"closed":            func(_ *wirePeer, raw net.Conn, _ *tls.Conn) { _ = raw.Close() },
		"an answer unasked": func(p *wirePeer, _ net.Conn, _ *tls.Conn) { p.say(ok("evil")) },
		"at once":           func(*wirePeer, net.Conn, *tls.Conn) {},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(name, func(t *testing.T) {
				server := &tls.Config{Certificates: []tls.Certificate{ours.pair(t, "api")}, MaxVersion: version}
				answered, ended := make(chan bool), make(chan bool)
				api := serveTLS(t, server, func(p *wirePeer, secure *tls.Conn) {
					for p.request() != nil {
						p.say(ok("good"))
						if name == "at once" { // TLS reads both records before either is asked for
							p.say(ok("evil"))
						}
						<-answered
						end(p, secure.NetConn(), secure)
						ended <- true
					}
				})
				f := overTLS(t, api, &tls.Config{RootCAs: ours.pool})
				for i := range 10 {
					if got := do(f, newCall("POST", "/")); got.body != "good" || !got.whole {
						t.Fatalf("call %d: %v", i, got)
					}
					answered <- true
					<-ended
				}
			})
		}
	}
}
