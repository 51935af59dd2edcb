package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// deafConfig has idle times that no test waits for.
const deafConfig = `
listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}", token: admin-token}
drain: {delay: 1s, timeout: 6s}
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /token}
      user: {at: /user, subject: /id}
frontends:
  app:
    origins: ["http://localhost:8080"]
    host: localhost
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api, websocket: true}]
`

// deafAPI speaks WebSocket: /api/flood sends for as long as somebody takes it, and says
// when nobody does; every other path is silent. Each path says when it was left.
type deafAPI struct {
	*httptest.Server
	stuck, left chan string
}

func newDeafAPI(t *testing.T) *deafAPI {
	a := &deafAPI{stuck: make(chan string, 16), left: make(chan string, 16)}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			b, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, `{"token":"t","user":{"id":"`+strings.Split(string(b), `"`)[3]+`"}}`)
			return
		}
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = c.Close(); a.left <- r.URL.Path }()
		_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
			"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
		_ = b.Flush()
		if r.URL.Path == "/api/flood" {
			a.flood(c)
		} else {
			_, _ = io.Copy(io.Discard, c)
		}
	}))
	t.Cleanup(a.CloseClientConnections)
	return a
}

func (a *deafAPI) flood(c net.Conn) {
	frame := append([]byte{0x82, 0x7e, 0x10, 0}, bytes.Repeat([]byte("f"), 4096)...)
	for p := frame; ; {
		_ = c.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
		n, err := c.Write(p)
		if p = p[n:]; len(p) == 0 {
			p = frame
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			select {
			case a.stuck <- "":
			default:
			}
		} else if err != nil {
			return
		}
	}
}

// deaf is a process in front of that API.
type deaf struct {
	*testing.T
	*rig.Program
	address, admin string
}

func startDeaf(t *testing.T, store, api, key string) *deaf {
	t.Helper()
	return startDeafWith(t, deafConfig, store, api, key)
}

func startDeafWith(t *testing.T, text, store, api, key string) *deaf {
	t.Helper()
	p := rig.Serve(t, text, "STORE="+store, "API="+api, "KEY="+key)
	d := &deaf{T: t, Program: p.Program, address: p.Address, admin: p.Admin}
	return d
}

// raw sends one request over a connection of its own and reads the answer's head.
func (d *deaf) raw(request, cookie string) (c net.Conn, in *bufio.Reader, got *http.Response) {
	d.Helper()
	whileAway(func() bool {
		one, err := net.Dial("tcp", d.address)
		if err != nil {
			d.Fatal(err)
		}
		d.Cleanup(func() { _ = one.Close() })
		_ = one.SetDeadline(time.Now().Add(3 * time.Minute)) // what is promised is bounded by measured
		head, body, _ := strings.Cut(request, "\n")
		_, _ = io.WriteString(one, head+" HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:8080\r\nX-CSRF: 1\r\nCookie: "+cookie+"\r\n"+body)
		c, in = one, bufio.NewReader(one)
		if got, err = http.ReadResponse(in, nil); err != nil {
			d.Fatalf("%s: %v", head, err)
		}
		return calledAway(got)
	})
	return c, in, got
}

func (d *deaf) signIn(email string) (cookie string) {
	d.Helper()
	body := `{"email":"` + email + `","password":"p"}`
	_, _, got := d.raw("POST /bff/login\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body, "")
	cookie, _, _ = strings.Cut(got.Header.Get("Set-Cookie"), ";")
	if got.StatusCode != 200 || cookie == "" {
		d.Fatalf("sign-in: %s", got.Status)
	}
	return cookie
}

func (d *deaf) socket(path, cookie string) (net.Conn, *bufio.Reader) {
	d.Helper()
	c, in, got := d.raw("GET "+path+"\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", cookie)
	if got.StatusCode != 101 {
		d.Fatalf("%s: %s", path, got.Status)
	}
	return c, in
}

// closed waits for a close frame and returns its code; 0: the connection ended without.
func (d *deaf) closed(in *bufio.Reader) int {
	b, _ := io.ReadAll(io.LimitReader(in, 4))
	if len(b) == 4 && b[0] == 0x88 {
		return int(binary.BigEndian.Uint16(b[2:]))
	}
	return 0
}

// measured runs f, which must be over within bound, and logs how long it took.
func measured(t *testing.T, what string, bound time.Duration, f func()) {
	t.Helper()
	begun := time.Now()
	f()
	took := time.Since(begun)
	t.Logf("%s: %s", what, took.Round(time.Millisecond))
	if took > bound {
		t.Errorf("%s took %s, more than %s", what, took, bound)
	}
}

// The fear: a person who opens a WebSocket and does not read cannot be signed out, holds
// up what other replicas have to say of others, and keeps the process from ending.
func TestBrowserThatDoesNotRead(t *testing.T) {
	t.Parallel()
	store := "redis://" + rig.Redis(t) + "/0"
	api := newDeafAPI(t)
	_, key, _ := runCommand(nil, "keygen")
	here := startDeaf(t, store, api.URL, strings.TrimSpace(key))
	there := startDeaf(t, store, api.URL, strings.TrimSpace(key))
	ada, bob, eve := here.signIn("ada"), here.signIn("bob"), here.signIn("eve")
	_, _ = here.socket("/api/flood", ada)
	<-api.stuck
	_, adas := here.socket("/api/ada", ada)
	_, bobs := here.socket("/api/bob", bob)
	const atMost = 15 * time.Second // the contract's bound for what ends with a session
	measured(t, "sign-out beside a reader that stopped", atMost, func() {
		if _, _, got := here.raw("POST /bff/logout\n\r\n", ada); got.StatusCode != 204 {
			t.Errorf("sign-out: %s", got.Status)
		}
	})
	measured(t, "the person's other socket closed", atMost, func() {
		if code := here.closed(adas); code != 1008 {
			t.Errorf("code %d", code)
		}
	})
	measured(t, "both sides at the API ended", atMost, func() { <-api.left; <-api.left })
	measured(t, "another person's sign-out at another replica", atMost, func() {
		if _, _, got := there.raw("POST /bff/logout\n\r\n", bob); got.StatusCode != 204 {
			t.Errorf("sign-out: %s", got.Status)
		}
		if code := here.closed(bobs); code != 1008 {
			t.Errorf("code %d", code)
		}
	})
	for len(api.stuck) > 0 {
		<-api.stuck
	}
	_, _ = here.socket("/api/flood", eve)
	<-api.stuck
	here.endsInTime()
}

// endsInTime: behind drain.delay nobody is let in, and within drain.timeout it is over.
func (d *deaf) endsInTime() {
	d.Helper()
	const delay, timeout, slack = time.Second, 6 * time.Second, 10 * time.Second // slack: for a busy machine, and spans and logs
	_ = d.Process.Signal(syscall.SIGTERM)
	measured(d.T, "SIGTERM: new connections refused", delay+slack, func() {
		rig.Until(d.T, "a closed door", func() bool {
			c, err := net.Dial("tcp", d.address)
			if err == nil {
				_ = c.Close()
			}
			return err != nil
		})
	})
	measured(d.T, "SIGTERM: process ended", delay+timeout+slack, func() {
		select {
		case <-d.Exited:
		case <-time.After(delay + timeout + slack):
			d.Fatal("the process does not end")
		}
	})
	if code := d.ProcessState.ExitCode(); code != 0 {
		d.Errorf("exit %d: %s", code, &d.Log)
	}
}

// The fear: a page learns that its API has gone only when idle_timeout (5m) is over.
func TestAPIThatGoes(t *testing.T) {
	t.Parallel()
	store := "redis://" + rig.Redis(t) + "/0"
	_, key, _ := runCommand(nil, "keygen")
	for name, row := range map[string]struct {
		sent string
		code int
	}{"between frames": {"\x81\x02hi", 1011}, "in a frame": {"\x81\x05hi", 0}} {
		t.Run(name, func(t *testing.T) {
			read := make(chan struct{})
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/login" {
					_, _ = io.WriteString(w, `{"token":"t","user":{"id":"ada"}}`)
					return
				}
				c, b, _ := w.(http.Hijacker).Hijack()
				_, _ = b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
					"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" + row.sent)
				_ = b.Flush()
				<-read
				_ = c.(*net.TCPConn).SetLinger(0)
				_ = c.Close()
			}))
			t.Cleanup(api.Close)
			d := startDeaf(t, store, api.URL, strings.TrimSpace(key))
			_, in := d.socket("/api/x", d.signIn("ada"))
			if _, err := io.ReadFull(in, make([]byte, len(row.sent))); err != nil {
				t.Fatal(err)
			}
			measured(t, "the API's reset reached the browser", 15*time.Second, func() {
				close(read)
				if code := d.closed(in); code != row.code {
					t.Errorf("code %d, want %d", code, row.code)
				}
			})
		})
	}
}

// The fear: a refresh that hangs keeps the process for refresh.timeout.
func TestRefreshThatHangsAndDrain(t *testing.T) {
	t.Parallel()
	asked, over := make(chan struct{}), make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_, _ = io.WriteString(w, `{"token":"t","refresh":"r","expires_in":5,"user":{"id":"ada"}}`)
			return
		}
		close(asked)
		<-over
	}))
	t.Cleanup(func() { close(over); api.Close() })
	_, key, _ := runCommand(nil, "keygen")
	text := strings.NewReplacer("{access_token: /token}", "{access_token: /token, refresh_token: /refresh, expires_in: /expires_in}",
		"frontends:", `    refresh: {timeout: 4m, before: 1h, request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}}`+"\nfrontends:").Replace(deafConfig)
	d := startDeafWith(t, text, "memory://", api.URL, strings.TrimSpace(key))
	cookie := d.signIn("ada")
	c, err := net.Dial("tcp", d.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /api/x HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nOrigin: http://localhost:8080\r\nCookie: "+cookie+"\r\n\r\n")
	<-asked
	d.endsInTime()
}
