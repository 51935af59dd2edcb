package gate_test

import (
	"bufio"
	"errors"
	"io"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// TestServe: requests are answered in order on one connection, until an answer is the last.
func TestServe(t *testing.T) {
	s := serving(t, patient, func(r *gate.Request) bool {
		target := string(r.Head().Target)
		_ = gate.Send(r.Conn(), time.Now(), []byte("<"+target), []byte(" "+body(r)+">"))
		return target != "/last"
	})
	got := talk(t, s, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nabGET /b HTTP/1.1\r\nHost: x\r\n\r\n"+
		"GET /last HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n")
	if want := "</a body: ab></b body: ></last body: >"; got != want {
		t.Errorf("answers: %q, want %q", got, want)
	}
}

// TestFault: a fault ends its connection, also for the browser, which waits, and no other.
func TestFault(t *testing.T) {
	o, stacks := patient, make(chan []byte, 1)
	o.Faulted = func(stack []byte) { stacks <- stack }
	s := serving(t, o, func(r *gate.Request) bool {
		if string(r.Head().Target) == "/fault" {
			panic("fault")
		}
		return gate.Send(r.Conn(), time.Now(), []byte("answer\n"), nil) == nil
	})
	other, c := dial(t, s.address), dial(t, s.address)
	call(t, other)
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET /fault HTTP/1.1\r\nHost: x\r\n\r\n")
	if b, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("%q, %v", b, err)
	}
	if len(<-stacks) == 0 {
		t.Error("the fault was not told")
	}
	call(t, other)
}

// TestTunnel: behind a request that became a tunnel, everything is the tunnel's, what was
// sent with the request first.
func TestTunnel(t *testing.T) {
	s := serving(t, patient, func(r *gate.Request) bool {
		c := r.Conn()
		c.Tunnel()
		_, _ = io.Copy(c, c)
		return true
	})
	const more = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	if got := talk(t, s, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"+more); got != more {
		t.Errorf("%q", got)
	}
}
