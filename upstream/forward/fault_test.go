package forward_test

import (
	"bytes"
	"crypto/tls"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream/forward"
)

// faultyBody is a body whose reading is a fault of the program.
type faultyBody struct{}

func (faultyBody) Read([]byte) (int, error) { panic("fault with s3cr3t") }

// meetsFault makes a call that meets a fault of this file: it fails, and its place is told
// once, without what the fault says.
func meetsFault(t *testing.T, f *forward.Forwarder, call *forward.Call) {
	t.Helper()
	var told atomic.Int64
	call.Faulted = func(stack []byte) {
		if bytes.Contains(stack, []byte("fault_test.go")) && !bytes.Contains(stack, []byte("s3cr3t")) {
			told.Add(1)
		}
	}
	within(t, time.Minute, "an error", func() {
		var ans forward.Response
		if err := f.Do(call, &ans); err == nil {
			t.Error("no error")
		}
	})
	if n := told.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
}

// The fear: a body is read on a goroutine of its own, where nobody recovers.
func TestFaultInABody(t *testing.T) {
	for _, length := range []int64{-1, 10} {
		api := serveWire(t, func(p *wirePeer) {
			p.head()
			_, _ = p.in.ReadByte() // until the forwarder leaves
		})
		f := newForwarder(t, api)
		call := newCall("POST", "/")
		call.Body, call.BodyLength = faultyBody{}, length
		meetsFault(t, f, call)
		if open, _ := f.Open(); open != 0 {
			t.Errorf("%d connections are open", open)
		}
	}
}

// The fear: connections are opened on a goroutine of their own, too.
func TestFaultInOpening(t *testing.T) {
	ours := newAuthority(t)
	var healed atomic.Bool
	api := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ours.pair(t, "api.example.net")}}, func(p *wirePeer, _ *tls.Conn) {
		for r := p.request(); r != nil; r = p.request() {
			p.say(ok("here"))
		}
	})
	f := overTLS(t, api, &tls.Config{RootCAs: ours.pool, VerifyConnection: func(tls.ConnectionState) error {
		if !healed.Load() {
			panic("fault with s3cr3t")
		}
		return nil
	}})
	for range 3 {
		meetsFault(t, f, newCall("GET", "/"))
	}
	if open, _ := f.Open(); open != 0 {
		t.Errorf("%d connections are open", open)
	}
	healed.Store(true)
	if got := get(f, "/"); got.body != "here" {
		t.Errorf("the next call: %v", got)
	}
}
