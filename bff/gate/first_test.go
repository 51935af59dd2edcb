package gate_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// firstly serves requests with answers behind Options.First.
func firstly(t *testing.T, first func(*gate.Request) gate.Turn) *server {
	t.Helper()
	o := patient
	o.First = first
	return start(t, o, func(*gate.Request) string { return "other" })
}

// TestFirst: what First answers never reaches the web server, and what it passes does, in
// order and on one connection.
func TestFirst(t *testing.T) {
	s := firstly(t, func(r *gate.Request) gate.Turn {
		switch target := string(r.Head().Target); target {
		case "/last", "/answered":
			_ = gate.Send(r.Conn(), time.Now(), []byte("<"+target), []byte(" "+body(r)+">"))
			if target == "/last" {
				return gate.Last
			}
			return gate.Answered
		}
		if !r.Pass() {
			t.Error("the connection is closed")
		}
		return gate.Passed
	})
	got := talk(t, s, "POST /answered HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /passed HTTP/1.1\r\nHost: x\r\n\r\n"+
		"GET /answered HTTP/1.1\r\nHost: x\r\n\r\nGET /last HTTP/1.1\r\nHost: x\r\n\r\nGET /answered HTTP/1.1\r\nHost: x\r\n\r\n")
	want := "</answered body: ab>HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother</answered body: ></last body: >"
	if got != want {
		t.Errorf("answers: %q, want %q", got, want)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.seen) != 1 || s.seen[0] != "GET /passed HTTP/1.1 x" {
		t.Errorf("the web server saw %q", s.seen)
	}
}

// TestCloseBehindFirst: the web server closes connections that it takes for idle. While
// First answers, that waits for the answer; then the connection ends, and nothing passes.
func TestCloseBehindFirst(t *testing.T) {
	for name, row := range map[string]struct {
		doing func(*gate.Request) gate.Turn
		want  string
	}{
		"answered": {func(r *gate.Request) gate.Turn {
			_ = gate.Send(r.Conn(), time.Now(), []byte("whole"), nil)
			return gate.Answered
		}, "whole"},
		"passed": {func(r *gate.Request) gate.Turn {
			if r.Pass() {
				return gate.Passed
			}
			_ = gate.Send(r.Conn(), time.Now(), []byte("refused"), nil)
			return gate.Last
		}, "refused"},
		"fault": {func(*gate.Request) gate.Turn { panic("fault") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := firstly(t, func(r *gate.Request) gate.Turn {
				var closing sync.WaitGroup
				closing.Go(func() { _ = r.Conn().Close() })
				closing.Wait()
				return row.doing(r)
			})
			if got := talk(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestFaultInFirst: a fault ends its connection, also for the browser, which waits.
func TestFaultInFirst(t *testing.T) {
	s := firstly(t, func(*gate.Request) gate.Turn { panic("fault") })
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("%q, %v", b, err)
	}
}

// TestLost: the web server closes a connection for idle just after a request was passed to
// it. The request is answered all the same, once, when the goroutine that serves the
// connection closes it; where the web server came to the request, Close is an end.
func TestLost(t *testing.T) {
	for name, row := range map[string]struct {
		taken bool
		want  string
	}{
		"lost":  {false, "draining"},
		"taken": {true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inner, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			o := patient
			o.First = func(r *gate.Request) gate.Turn { r.Pass(); return gate.Passed }
			o.Lost = func(r *gate.Request) { _ = gate.Send(r.Conn(), time.Now(), []byte("draining"), nil) }
			l := gate.Listen(inner, o)
			defer l.Close()
			browser, err := net.Dial("tcp", inner.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer browser.Close()
			_, _ = io.WriteString(browser, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			if row.taken {
				c.(*gate.Conn).Request().Taken()
			}
			idle, serving := c.Close(), c.Close()
			_ = browser.SetDeadline(time.Now().Add(time.Minute))
			got, err := io.ReadAll(browser)
			if idle != nil || err != nil || string(got) != row.want {
				t.Errorf("%q, %v, %v", got, idle, err)
			}
			if again := errors.Is(serving, net.ErrClosed); again != row.taken {
				t.Errorf("the second Close: %v", serving)
			}
			if again := c.Close(); !errors.Is(again, net.ErrClosed) {
				t.Errorf("the third Close: %v", again)
			}
		})
	}
}
