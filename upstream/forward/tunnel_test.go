package forward_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

func upgradeCall() *forward.Call {
	call := newCall("GET", "/socket")
	call.Head = append(call.Head, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
	call.Upgrade = true
	return call
}

// A 101 that was asked for hands the connection over, with what came behind it;
// it counts as open until it is closed, and lives longer than any deadline.
func TestTunnel(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		p.head()
		p.say(switched + "first;")
		_, _ = io.Copy(p.Conn, p.in)
	})
	f := newForwarder(t, api)
	var call *forward.Call
	var ans forward.Response
	eventually(t, "a handshake in time", func() bool {
		call = upgradeCall()
		call.HeaderTimeout, call.IdleTimeout = short, short
		err := f.Do(call, &ans)
		if err != nil && !errors.Is(err, upstream.ErrTimeout) || err == nil && ans.Status != 101 {
			t.Fatal(ans.Status, err)
		}
		return err == nil
	})
	tunnel := ans.Hijack()
	if ans.Hijack() != nil {
		t.Error("handed over twice")
	}
	_ = ans.Close()
	call.Abort()          // no longer reaches it
	time.Sleep(2 * short) // longer than the deadlines; more makes no difference
	if _, err := io.WriteString(tunnel, "second"); err != nil {
		t.Fatal(err)
	}
	if prefix := tunnel.Prefix(); string(prefix) != "first;" || tunnel.Prefix() != nil {
		t.Errorf("prefix %q", prefix)
	}
	got := make([]byte, len("second"))
	if _, err := io.ReadFull(tunnel, got); err != nil || string(got) != "second" {
		t.Errorf("%q %v", got, err)
	}
	if open, idle := f.Open(); open != 1 || idle != 0 {
		t.Errorf("%d open, %d idle", open, idle)
	}
	_ = tunnel.Close()
	_ = tunnel.Close()
	if open, _ := f.Open(); open != 0 {
		t.Errorf("%d open", open)
	}
}

// Whoever does not ask for the prefix reads it.
func TestTunnelReadsPrefix(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		p.head()
		p.say(switched + "first;")
		p.say("second")
	})
	var ans forward.Response
	if err := newForwarder(t, api).Do(upgradeCall(), &ans); err != nil {
		t.Fatal(err)
	}
	tunnel := ans.Hijack()
	defer tunnel.Close()
	if got, err := io.ReadAll(tunnel); string(got) != "first;second" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

// Other answers to a handshake are answers; a 101 that nobody takes ends its connection.
func TestTunnelRefused(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for r := p.request(); r != nil; r = p.request() {
			switch {
			case r.Header.Get("Upgrade") == "":
				p.say(ok("plain"))
			case p.index == 0:
				p.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno")
			default:
				p.say(switched)
				p.drain()
			}
		}
	})
	f := newForwarder(t, api)
	if got := do(f, upgradeCall()); got.status != 403 || got.body != "no" {
		t.Error(got)
	}
	if got := get(f, "/"); got.body != "plain" || api.dialled() != 1 {
		t.Error("a refused handshake cost the connection", got)
	}
	f.Close()
	f = newForwarder(t, api)
	if got := do(f, upgradeCall()); got.status != 101 {
		t.Error(got)
	}
	if open, _ := f.Open(); open != 0 {
		t.Error("an untaken 101 left its connection open")
	}
	var ans forward.Response
	if err := f.Do(newCall("GET", "/"), &ans); err != nil || ans.Hijack() != nil {
		t.Error("hijacked a plain answer", err)
	}
	_ = ans.Close()
}

// A 101 with a body is none.
func TestTunnelWithLength(t *testing.T) {
	for _, field := range []string{"Content-Length: 3", "Transfer-Encoding: chunked"} {
		api := serveWire(t, func(p *wirePeer) {
			p.head()
			p.say("HTTP/1.1 101 Switching Protocols\r\n" + field + "\r\n\r\n")
			p.drain()
		})
		if got := do(newForwarder(t, api), upgradeCall()); !errors.Is(got.err, upstream.ErrInvalid) {
			t.Error(got)
		}
	}
}
