package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	storeopen "coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/oidc/dpop"
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
func BenchmarkCall(b *testing.B) { benchCall(b, "5s", map[string]credential.Secret{}) }

// BenchmarkBoundCall: the same with a token that is bound to a key (DPoP, RFC 9449). What
// it costs more is the proof.
func BenchmarkBoundCall(b *testing.B) { benchCall(b, "5s", boundKey(b)) }

// BenchmarkUncachedCall and BenchmarkUncachedBoundCall: the same two with near_cache: 0s, so
// that record and key are opened anew for every call. The store is in memory.
func BenchmarkUncachedCall(b *testing.B) { benchCall(b, "0s", map[string]credential.Secret{}) }

func BenchmarkUncachedBoundCall(b *testing.B) { benchCall(b, "0s", boundKey(b)) }

func boundKey(b *testing.B) map[string]credential.Secret {
	b.Helper()
	key, err := dpop.NewKey()
	if err != nil {
		b.Fatal(err)
	}
	return map[string]credential.Secret{credential.BoundKey: key.Secret()}
}

func benchCall(b *testing.B, near string, values map[string]credential.Secret) {
	const body = `{"id":2011,"name":"order"}`
	config := `
listen: "127.0.0.1:0"
sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="], near_cache: ` + near + `}
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
	benchRequest(b, address, 200, body, "GET /api/orders/2011?page=7 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Language: en\r\n"+
		"Accept-Encoding: gzip, br\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\nCookie: __Host-Http-shop="+ticket+"\r\n\r\n")
}

// benchRequest sends the same request again and again over one connection. Answers have
// this status, and end with end.
func benchRequest(b *testing.B, address string, status int, end, request string) {
	b.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 8<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write([]byte(request)); err != nil {
			b.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], []byte(end)); {
			m, err := c.Read(buf[n:])
			if err != nil {
				b.Fatalf("%v after %q", err, buf[:n])
			}
			n += m
		}
	}
	if !strings.HasPrefix(string(buf), fmt.Sprintf("HTTP/1.1 %d ", status)) {
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

// BenchmarkLogin: a person is sent to a provider's page whose metadata is known: one cookie,
// one sealed state, one log line, and nothing in the store.
func BenchmarkLogin(b *testing.B) {
	var issuer string
	idp := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"issuer":%[1]q,"authorization_endpoint":"%[2]s/a","token_endpoint":"%[2]s/t","jwks_uri":"%[2]s/k"}`, issuer, issuer)
	}))
	defer idp.Close()
	issuer = idp.URL
	address, _ := benchServer(b, `
listen: "127.0.0.1:0"
sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBzZXJ2ZXIgdGVzdHM="]}
providers:
  id: {issuer: "`+issuer+`", client_id: shop, client_secret: secret, scopes: [openid, profile, email]}
upstreams:
  api: {url: "https://api.example.net"}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, provider: id}
    routes: [{path: /api/, upstream: api}]
`, map[string]credential.Secret{})
	benchRequest(b, address, 303, "\r\n\r\n", "GET /bff/login?return_to=/orders/2011 HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: Mozilla/5.0\r\n"+
		"Accept: text/html\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n")
}
