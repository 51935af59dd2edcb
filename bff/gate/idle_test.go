package gate_test

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// TestEndIdle: connections that wait for a request end, be they new or kept. One whose
// call is at work gets its answer first, its body's rest included.
func TestEndIdle(t *testing.T) {
	at := make(chan struct{})
	s := serving(t, patient, func(r *gate.Request) bool {
		if string(r.Head().Target) == "/work" {
			close(at)
		}
		_ = gate.Send(r.Conn(), time.Now(), []byte("answer "), []byte(body(r)))
		return true
	})
	dial := func(request string) (net.Conn, *bufio.Reader) {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // before the gate's own minute
		_, _ = io.WriteString(c, request)
		return c, bufio.NewReader(c)
	}
	_, fresh := dial("")
	_, kept := dial("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := io.ReadFull(kept, make([]byte, len("answer body: "))); err != nil {
		t.Fatal(err)
	}
	busy, work := dial("POST /work HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
	<-at
	s.listener.EndIdle()
	for name, in := range map[string]*bufio.Reader{"new": fresh, "kept": kept} {
		if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
			t.Errorf("%s: %q, %v", name, rest, err)
		}
	}
	_, _ = io.WriteString(busy, "cd")
	if got, err := io.ReadAll(work); err != nil || string(got) != "answer body: abcd" {
		t.Errorf("at work: %q, %v", got, err)
	}
}
