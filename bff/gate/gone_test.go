package gate_test

import (
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"

	"coatcheck/bff/gate"
)

// working serves one connection at a time: it says that it works at each request, and
// answers once answer is sent to.
func working(t *testing.T, left func(), answer <-chan struct{}) *server {
	t.Helper()
	return start(t, patient, func(r *gate.Request) string {
		r.Conn().Working(left)
		defer r.Conn().Idle()
		<-answer
		return "done"
	})
}

// A browser that leaves is noticed while a call is at work, whichever call of its
// connection that is; and a browser that closed its half before the call began, too.
func TestBrowserLeavesWork(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("noticed at the next write there")
	}
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for name, leave := range map[string]func(*net.TCPConn){
		"close":     func(c *net.TCPConn) { _ = c.Close() },
		"reset":     func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() },
		"half":      func(c *net.TCPConn) { _ = c.CloseWrite() },
		"with data": func(c *net.TCPConn) { _, _ = io.WriteString(c, request); _ = c.CloseWrite() },
	} {
		t.Run(name, func(t *testing.T) {
			left, answer := make(chan struct{}, 8), make(chan struct{}, 8)
			s := working(t, func() { left <- struct{}{} }, answer)
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			answer <- struct{}{}
			_, _ = io.WriteString(c, request)
			_, _ = io.ReadFull(c, make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")))
			_, _ = io.WriteString(c, request)
			leave(c.(*net.TCPConn))
			<-left
			close(answer)
		})
	}
}

// A browser that leaves between two calls concerns nobody.
func TestBrowserLeavesIdle(t *testing.T) {
	var left atomic.Int64
	answer := make(chan struct{}, 8)
	s := working(t, func() { left.Add(1) }, answer)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answer <- struct{}{}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	_, _ = io.ReadFull(c, make([]byte, len("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")))
	_ = c.(*net.TCPConn).CloseWrite()
	_, _ = io.Copy(io.Discard, c)
	if n := left.Load(); n != 0 {
		t.Errorf("told %d times", n)
	}
}
