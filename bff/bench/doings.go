//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// doings are what people do in a soak, and what must come of it.
var doings = [...]struct {
	name string
	ends bool // the session, or what is known of it
	do   func(*soak, *http.Client, string) error
}{
	{"reads", false, read},
	{"more reads", false, read},
	{"uploads", false, func(s *soak, c *http.Client, cookie string) error {
		return s.ask(c, cookie, "POST", "/api/echo", make([]byte, 256<<10), 200)
	}},
	{"sessions", false, func(s *soak, c *http.Client, cookie string) error {
		return s.ask(c, cookie, "GET", "/bff/session", nil, 200)
	}},
	{"extensions", false, func(s *soak, c *http.Client, cookie string) error {
		return s.ask(c, cookie, "POST", "/bff/session", nil, 200)
	}},
	{"lost ways", false, func(s *soak, c *http.Client, cookie string) error {
		return s.ask(c, cookie, "GET", "/nowhere", nil, 404)
	}},
	{"wrong passwords", false, func(s *soak, c *http.Client, _ string) error {
		return s.ask(c, "", "POST", "/bff/login", []byte(`{"email":"ann@example.com","password":"wrong"}`), 401)
	}},
	{"malformed", false, func(s *soak, _ *http.Client, cookie string) error {
		return s.raw("GET /api/items HTTP/1.1\r\nHost: localhost\r\n"+cookie+"\x01\r\n\r\n", "HTTP/1.1 400")
	}},
	{"aborts", false, abort},
	{"streams", false, listen},
	{"WebSockets", false, talk},
	{"sign-outs", true, func(s *soak, c *http.Client, cookie string) error {
		return s.ask(c, cookie, "POST", "/bff/logout", nil, 204)
	}},
}

func read(s *soak, c *http.Client, cookie string) error {
	return s.ask(c, cookie, "GET", "/api/items", nil, 200)
}

// ask makes one call as a page does.
func (s *soak) ask(c *http.Client, cookie, method, path string, body []byte, status int) error {
	answer, err := s.open(context.Background(), c, cookie, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if answer.StatusCode != status {
		return fmt.Errorf("status %d, code %q", answer.StatusCode, answer.Header.Get("Coatcheck-Error"))
	}
	return err
}

func (s *soak) open(ctx context.Context, c *http.Client, cookie, method, path string, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Host = strings.TrimPrefix(s.origin, "http://")
	request.Header.Set("Origin", s.origin)
	request.Header.Set("X-CSRF", "1")
	request.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		request.Header.Set("Cookie", cookie)
	}
	return c.Do(request)
}

// raw sends bytes as they are, and looks how the answer begins.
func (s *soak) raw(request, begins string) error {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, request)
	line, err := bufio.NewReader(c).ReadString('\n')
	if !strings.HasPrefix(line, begins) {
		return errors.Join(err, errors.New("the answer begins otherwise"))
	}
	return nil
}

// abort leaves in the middle of an upload.
func abort(s *soak, _ *http.Client, cookie string) error {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c, "POST /api/echo HTTP/1.1\r\nHost: localhost\r\nX-CSRF: 1\r\nCookie: %s\r\nContent-Length: 100000\r\n\r\nhello", cookie)
	_ = c.(*net.TCPConn).SetLinger(0)
	return errors.Join(err, c.Close())
}

// listen follows a stream for an event or two, and leaves.
func listen(s *soak, c *http.Client, cookie string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := s.open(ctx, c, cookie, "GET", "/api/events", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	lines := bufio.NewReader(answer.Body)
	for range 4 {
		if _, err := lines.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

// talk says something to a WebSocket that repeats it.
func talk(s *soak, _ *http.Client, cookie string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, "ws://"+s.address+"/api/socket", &websocket.DialOptions{
		Host: strings.TrimPrefix(s.origin, "http://"), HTTPHeader: http.Header{"Origin": {s.origin}, "Cookie": {cookie}}})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		return err
	}
	if _, heard, err := c.Read(ctx); err != nil || string(heard) != "hello" {
		return fmt.Errorf("heard %d bytes: %w", len(heard), err)
	}
	return c.Close(websocket.StatusNormalClosure, "")
}
