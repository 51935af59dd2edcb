package server_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// wire leads to the real Redis, until it is cut.
type wire struct {
	net.Listener
	mu    sync.Mutex
	off   bool
	conns map[net.Conn]bool
}

func newWire(t *testing.T) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, conns: map[net.Conn]bool{}}
	go w.serve() // ends with the listener
	t.Cleanup(func() { w.cut(true); _ = l.Close() })
	return w
}

func (w *wire) serve() {
	u, _ := url.Parse(redisURL)
	for {
		near, err := w.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", u.Host)
		if err != nil || !w.keep(near, far) {
			_ = near.Close()
			continue
		}
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()  // ends with either connection
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }() // likewise
	}
}

func (w *wire) keep(conns ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range conns {
		if w.off {
			_ = c.Close()
		} else {
			w.conns[c] = true
		}
	}
	return !w.off
}

// cut takes the store away, or gives it back.
func (w *wire) cut(off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = off
	for c := range w.conns {
		_ = c.Close()
		delete(w.conns, c)
	}
}

// TestProviderStoreAway: while the store is away a way back spends nothing, and the
// provider is told to send its logout token again. Later both work.
func TestProviderStoreAway(t *testing.T) {
	w := newWire(t)
	a := openAtProvider(t, func(s string) string {
		s = replaced(s, `store: "${STORE}"`, `store: "redis://`+w.Addr().String()+`/0"`)
		return replaced(s, "provider: id, fields", "provider: id, error_path: /login, fields")
	})
	ada := a.signInAt("ada@id.test")
	address, browser := a.begin("?return_to=/cart")
	back := a.browse(address, "bob@id.test")
	form := "Content-Type: application/x-www-form-urlencoded"
	logout := "POST /bff/backchannel-logout/id\n\nlogout_token=" + a.provider.LogoutToken("coatcheck", "p-ada", "", "logout+jwt", nil)
	a.want(a.call("GET /api/x", shop, ada), 200, "")

	w.cut(true)
	for range 2 {
		got := a.back(back, browser)
		a.wantPage(got, "store_unavailable")
		if got.Header.Get("Retry-After") == "" || !strings.Contains(got.body, `href=""`) || strings.Contains(got.body, back.Query().Get("code")) {
			t.Errorf("the page: %v %s", got.Header, got.body)
		}
		later := a.call(logout, form)
		a.want(later, 503, "store_unavailable")
		if later.Header.Get("Retry-After") == "" {
			t.Error("the provider is not told to try again")
		}
	}
	if got := a.call("GET /bff/login", navigate, document, html_); got.StatusCode != 303 {
		t.Errorf("a sign-in needs no store to begin: %d %s", got.StatusCode, got.body)
	}
	w.cut(false)
	deadline := time.Now().Add(time.Minute)
	got := a.back(back, browser)
	for got.StatusCode == 503 && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
		got = a.back(back, browser)
	}
	a.wantPage(got, "")
	a.want(a.call(logout, form), 200, "")
	a.want(a.call("GET /api/x", shop, ada), 401, "session_expired")
}

// TestProviderLoginWritesNothing: ten thousand people who begin to sign in leave no trace
// in a real Redis, and no command is sent to it on their account.
func TestProviderLoginWritesNothing(t *testing.T) {
	const people = 10_000
	u, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	u.DB = 7 // of its own
	client := redis.NewClient(u)
	defer client.Close()
	ctx := context.Background()
	a := openAtProvider(t, func(s string) string {
		s = replaced(s, `store: "${STORE}"`, `store: "`+strings.TrimSuffix(redisURL, "/0")+`/7"`)
		return replaced(s, "scopes: [openid,", "par: \"off\", scopes: [openid,")
	})
	a.begin("") // fetches the metadata
	keys := client.DBSize(ctx).Val()
	if err := client.ConfigResetStat(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for i := range people {
		fmt.Fprintf(conn, "GET /bff/login?return_to=/%d HTTP/1.1\r\nHost: shop.example.com\r\n%s\r\n%s\r\n\r\n", i, navigate, document)
		got, err := http.ReadResponse(in, nil)
		if err != nil || got.StatusCode != 303 {
			t.Fatalf("%d: %v %v", i, got, err)
		}
		_ = got.Body.Close()
	}
	if now := client.DBSize(ctx).Val(); now != keys {
		t.Errorf("%d keys before, %d after", keys, now)
	}
	commands := 0
	for line := range strings.Lines(client.Info(ctx, "commandstats").Val()) {
		name, rest, found := strings.Cut(line, ":calls=")
		if !found || strings.Contains(name, "info") || strings.Contains(name, "dbsize") || strings.Contains(name, "config") {
			continue
		}
		calls, _, _ := strings.Cut(rest, ",")
		n, _ := strconv.Atoi(calls)
		commands += n
		if kind := strings.TrimPrefix(name, "cmdstat_"); strings.Contains("set setex psetex hset zadd eval evalsha expire pexpire del hdel", kind) {
			t.Errorf("%s was called %d times", kind, n)
		}
	}
	if commands > people/10 { // clock, heartbeat: by time, not by person
		t.Errorf("%d commands for %d people", commands, people)
	}
}
