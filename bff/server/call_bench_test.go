package server_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	storeopen "coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/oidc"
	"coatcheck/upstream/signin"
)

// constantAPI answers every request of a connection with the same bytes, and allocates
// nothing for it.
func constantAPI(b *testing.B, answer string) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer c.Close()
				reply, buf, n := []byte(answer), make([]byte, 8<<10), 0
				for {
					m, err := c.Read(buf[n:])
					if err != nil {
						return
					}
					if n += m; bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
						n = 0
						_, _ = c.Write(reply)
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// BenchmarkCall: a whole call of a signed-in person over kept connections, with its log
// line, the session in the near cache.
func BenchmarkCall(b *testing.B) { benchCall(b, map[string]credential.Secret{}) }

// BenchmarkBoundCall: the same with a token that is bound to a key (DPoP, RFC 9449). What
// it costs more is the proof.
func BenchmarkBoundCall(b *testing.B) {
	key, err := oidc.NewDPoPKey()
	if err != nil {
		b.Fatal(err)
	}
	benchCall(b, map[string]credential.Secret{credential.BoundKey: key.Secret()})
}

func benchCall(b *testing.B, values map[string]credential.Secret) {
	const body = `{"id":2011,"name":"order"}`
	config := `
listen: "127.0.0.1:0"
sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="], near_cache: 5s}
upstreams:
  api:
    url: "` + constantAPI(b, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"+body) + `"
    login:
      request: {path: /auth/login, body: {email: "{email}"}}
      credential: {access_token: /access_token}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`
	address, ticket := benchServer(b, config, values)
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	request := []byte("GET /api/orders/2011?page=7 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Language: en\r\n" +
		"Accept-Encoding: gzip, br\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nCookie: __Host-Http-shop=" + ticket + "\r\n\r\n")
	buf := make([]byte, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(request); err != nil {
			b.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], []byte(body)); {
			m, err := c.Read(buf[n:])
			if err != nil {
				b.Fatalf("%v after %q", err, buf[:n])
			}
			n += m
		}
	}
	if !strings.HasPrefix(string(buf), "HTTP/1.1 200 ") {
		b.Fatalf("answer: %q", buf[:200])
	}
}

// benchServer serves config and signs one person in, whose credential has a token and
// values.
func benchServer(b *testing.B, text string, values map[string]credential.Secret) (address, ticket string) {
	b.Helper()
	config, faults := read.Text("bench.yaml", []byte(text), func(string) (string, bool) { return "", false }, nil)
	if configs.Refused(faults) {
		b.Fatalf("configuration: %v", faults)
	}
	log := slog.New(slog.NewJSONHandler(io.Discard, nil))
	store, err := storeopen.Store(config.Sessions.Store, storeopen.Options{Log: log})
	if err != nil {
		b.Fatal(err)
	}
	key, err := configs.KeyBytes(config.Sessions.Keys[0])
	if err != nil {
		b.Fatal(err)
	}
	manager, err := session.NewManager(store, session.Options{Keys: []credential.Secret{credential.NewSecret(string(key))},
		Prefix: config.Sessions.Prefix, IdleTimeout: config.Sessions.IdleTimeout, MaxLifetime: config.Sessions.MaxLifetime, NearCache: config.Sessions.NearCache, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := server.New(server.Options{Config: config, Manager: manager, Upstreams: ups, Log: log, Access: io.Discard})
	if err != nil {
		b.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Serve(l) }() // ends with Shutdown
	b.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = s.Shutdown(ctx)
		_ = manager.Close()
		ups.Close()
	})
	values[credential.AccessToken] = credential.NewSecret("token")
	t, _, err := manager.Start(context.Background(), session.Start{Frontend: "shop", Subject: "ada", User: []byte("{}"),
		Credential: credential.New(values, time.Time{}, time.Time{})})
	if err != nil {
		b.Fatal(err)
	}
	return l.Addr().String(), t.Reveal()
}
