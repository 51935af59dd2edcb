package transcript_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// api is an API of another origin on a raw socket. It records what it received, byte
// by byte, and answers what a scenario told it to.
type api struct {
	net.Listener
	t      *testing.T
	expand func(string) string

	mu      sync.Mutex
	answers map[string][]func(*apiCall) // by method and path; the last one stays
	calls   []*apiCall
}

// apiCall is a call that the API received.
type apiCall struct {
	*message
	api  *api
	conn net.Conn

	done   chan struct{} // closed once it was answered
	answer string
	close  bool
	hidden bool // from the transcript
}

func newAPI(t *testing.T) *api {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &api{Listener: l, t: t, answers: map[string][]func(*apiCall){}}
	t.Cleanup(func() { _ = l.Close() })
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go a.serve(c) // ends with the connection
		}
	}()
	return a
}

// on says how calls are answered; each answer once, the last one from then on.
func (a *api) on(call string, answers ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[call] = nil
	for _, text := range answers {
		a.answers[call] = append(a.answers[call], func(c *apiCall) {
			c.rest()
			c.write(wire(a.expand(text)))
			c.close = hasField(wire(text), "connection", "close")
		})
	}
}

// does says what happens at a call.
func (a *api) does(call string, f ...func(*apiCall)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[call] = f
}

func (a *api) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		head, err := readHead(in)
		if err != nil {
			return
		}
		c := &apiCall{message: &message{in: in, head: head}, api: a, conn: conn, done: make(chan struct{})}
		if err := c.frame(false, false); err != nil {
			a.t.Errorf("the API received %q: %v", head, err)
			return
		}
		a.mu.Lock()
		a.calls = append(a.calls, c)
		answer := a.find(head)
		a.mu.Unlock()
		if answer == nil {
			answer = func(c *apiCall) {
				c.rest()
				c.write(wire("HTTP/1.1 404 Not Found\nContent-Length: 0"))
			}
		}
		answer(c)
		if c.close {
			_ = conn.Close()
		}
		close(c.done)
		if c.close {
			return
		}
	}
}

func (a *api) find(head string) func(*apiCall) {
	method, rest, _ := strings.Cut(head, " ")
	target, _, _ := strings.Cut(rest, " ")
	path, _, _ := strings.Cut(target, "?")
	call := method + " " + path
	list := a.answers[call]
	if len(list) == 0 {
		return nil
	}
	if len(list) > 1 {
		a.answers[call] = list[1:]
	}
	return list[0]
}

// write sends bytes to the program.
func (c *apiCall) write(raw string) {
	c.answer += raw
	_, _ = c.conn.Write([]byte(raw))
}

// hangUp resets the connection.
func (c *apiCall) hangUp() {
	if tcp, ok := c.conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	c.close = true
}

// silence waits until the program gives up.
func (c *apiCall) silence() {
	c.rest()
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	_, _ = c.in.ReadByte()
	c.close = true
}
