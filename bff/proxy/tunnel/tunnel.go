// Package tunnel carries the frames of a WebSocket between a browser and an API, once the
// handshake is done.
//
// package proxy does the handshake and makes a [Tunnel] of the two connections with [New].
// Package server then calls [Tunnel.Run], which returns when the tunnel is over, or never
// calls it: then [Tunnel.Close] frees the API's connection. Whoever has a reason to end it,
// such as the end of a session or of the process, calls [Tunnel.End] with a close code.
package tunnel

import (
	"errors"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/upstream/forward"
)

// closePatience is how long the end of a tunnel may take: the frame under way, the
// close frame, and the browser's reading of both. Then the connection is cut.
const closePatience = 800 * time.Millisecond

// past is a deadline that wakes whoever reads or writes.
var past = time.Unix(1, 0)

// Options are what a Tunnel is made of. All but Fill are required.
type Options struct {
	// Browser and API are the two connections. The tunnel closes API; the gate closes
	// Browser behind [Tunnel.Run].
	Browser *gate.Conn
	API     *forward.Tunnel
	// Idle is the silence allowed, both ways together, and Write how long one write may take.
	Idle, Write time.Duration
	// Fill makes the first message that goes to the API of the one that the page sent;
	// false: it cannot, and the tunnel ends. nil: the first message passes as it is.
	Fill func(sent []byte) ([]byte, bool)
	// Events is told of faults, under RequestID.
	Events    call.Events
	RequestID string
}

// Tunnel carries frames between a browser and an API. From browser to API it is blind,
// once a first message that carries the person is behind it; the other way it follows
// the frames' heads, so that it can put a close frame between two of them.
//
// One goroutine writes to the browser and one to the API, and no lock is held across
// either. Whoever ends the tunnel names a close code and wakes both by their
// deadlines; the first to name one decides.
type Tunnel struct {
	browser   *gate.Conn
	api       *forward.Tunnel
	idle      time.Duration
	write     time.Duration
	events    call.Events
	requestID string

	last     atomic.Int64 // when a byte last went through, Unix nanoseconds
	frames   frames       // of the goroutine that writes to the browser
	greeting *greeting    // of the goroutine that writes to the API; nil: all passes as it is

	mu    sync.Mutex // guards what follows, and the deadlines
	begun bool       // the answer 101 is written, and the browser's connection is the tunnel's
	code  int        // why it ends; 0: it is open
	by    time.Time  // when it ends at the latest
}

// New makes a Tunnel. Nothing is read or written before [Tunnel.Run].
func New(o Options) *Tunnel {
	t := &Tunnel{browser: o.Browser, api: o.API, idle: o.Idle, write: o.Write, events: o.Events, requestID: o.RequestID}
	if o.Fill != nil {
		t.greeting = &greeting{fill: o.Fill}
	}
	return t
}

// End ends the tunnel soon, with a close frame where one can be sent. It does not
// block, and only its first call counts.
func (t *Tunnel) End(code int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.code != 0 {
		return
	}
	t.code, t.by = code, time.Now().Add(closePatience)
	if t.begun {
		t.wake()
	}
}

// wake interrupts both goroutines; t.mu is held. The browser may be written to until
// t.by; nothing of it goes to the API any more.
func (t *Tunnel) wake() {
	_ = t.api.SetDeadline(past)
	_ = t.browser.SetReadDeadline(past)
	_ = t.browser.SetWriteDeadline(t.by)
}

// begin takes the browser's connection over.
func (t *Tunnel) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.browser.Tunnel()
	t.begun = true
	if t.code != 0 {
		t.wake()
	}
}

// Close ends the API's side, also of a tunnel that never began.
func (t *Tunnel) Close() {
	t.End(closeAbnormal)
	_ = t.api.Close()
}

// Run copies until one side ends, or both have been silent for the idle time. The web
// server closes the browser's connection behind it.
func (t *Tunnel) Run() {
	defer t.contain()
	t.last.Store(time.Now().UnixNano())
	t.begin()
	var up sync.WaitGroup
	up.Go(func() { // ends with the tunnel: end wakes it
		defer t.contain()
		t.upload()
	})
	whole := t.download()
	t.Close()
	up.Wait()
	if !whole || !t.sayGoodbye() {
		t.browser.Break() // it does not read
	}
}

// contain is deferred: a fault of the program ends this tunnel only.
func (t *Tunnel) contain() {
	if recover() == nil {
		return
	}
	defer func() { _ = recover() }() // whatever state the fault left it in
	t.events.Fault(t.requestID, debug.Stack())
	defer t.browser.Break()
	t.Close()
}

// upload copies from the browser to the API.
func (t *Tunnel) upload() {
	buf := make([]byte, 4<<10)
	for t.isOpen() {
		n, err := t.read(t.browser, buf)
		p, fault := t.greet(buf[:n])
		if len(p) > 0 && !t.toAPI(p) {
			t.End(closeInternal)
			return
		}
		if fault != 0 {
			t.events.Log.Warn("first message of a WebSocket cannot carry the person", "request_id", t.requestID, "close", fault)
			t.End(fault)
			return
		}
		if err != nil {
			t.End(t.cause(err, closeAbnormal))
		}
	}
}

// greet puts the person into the first message, while it is under way. fault is the close
// code of a message that nothing can be put into.
func (t *Tunnel) greet(p []byte) (out []byte, fault int) {
	if t.greeting == nil {
		return p, 0
	}
	out, fault = t.greeting.take(p)
	if t.greeting.done {
		t.greeting = nil
	}
	return out, fault
}

// download copies from the API to the browser, and once the tunnel ends only up to
// the end of a frame. It reports whether the browser got all that was written.
func (t *Tunnel) download() (whole bool) {
	buf := make([]byte, 4<<10)
	for {
		n, err := t.read(t.api, buf)
		p := buf[:n]
		if t.isOpen() {
			t.frames.follow(p)
		} else {
			p = p[:t.frames.toBoundary(p)]
		}
		if len(p) > 0 && !t.toBrowser(p) {
			t.End(closeAbnormal)
			return false
		}
		if t.isOpen() && err != nil {
			t.End(t.cause(err, closeInternal))
		}
		if !t.mayFinishFrame(err) {
			return true
		}
	}
}

// mayFinishFrame reports whether there is more to read from the API: always while the
// tunnel is open, else only the rest of a frame, while there is time.
func (t *Tunnel) mayFinishFrame(err error) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.code == 0:
		return true
	case t.frames.boundary(), t.code == closeAbnormal, !time.Now().Before(t.by):
		return false
	}
	return err == nil || errors.Is(err, os.ErrDeadlineExceeded)
}

// read waits for bytes, for the idle time at most; the silence of one direction does
// not count while the other is alive.
func (t *Tunnel) read(from net.Conn, buf []byte) (int, error) {
	for {
		t.mu.Lock()
		by := time.Now().Add(t.idle)
		switch {
		case t.code == 0:
		case from == net.Conn(t.browser) || t.frames.boundary():
			by = past
		default:
			by = t.by
		}
		_ = from.SetReadDeadline(by)
		t.mu.Unlock()
		n, err := from.Read(buf)
		if n > 0 {
			t.last.Store(time.Now().UnixNano())
		}
		if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && t.isOpen() && !t.isSilent() {
			continue
		}
		return n, err
	}
}

func (t *Tunnel) isSilent() bool {
	return time.Since(time.Unix(0, t.last.Load())) >= t.idle
}

func (t *Tunnel) isOpen() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.code == 0
}

// cause is the close code behind an error of reading: gone unless it was silence.
func (t *Tunnel) cause(err error, gone int) int {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return GoingAway
	}
	return gone
}

// toAPI reports whether p was written; once the tunnel ends nothing is.
func (t *Tunnel) toAPI(p []byte) bool {
	t.mu.Lock()
	open := t.code == 0
	if open {
		_ = t.api.SetWriteDeadline(time.Now().Add(t.write))
	}
	t.mu.Unlock()
	if !open {
		return false
	}
	_, err := t.api.Write(p)
	return err == nil
}

// toBrowser reports whether p was written in time.
func (t *Tunnel) toBrowser(p []byte) bool {
	t.mu.Lock()
	by := t.by
	if t.code == 0 {
		by = time.Now().Add(t.write)
	}
	_ = t.browser.SetWriteDeadline(by)
	t.mu.Unlock()
	_, err := t.browser.Write(p)
	return err == nil
}

// sayGoodbye writes the close frame, unless the API has said goodbye itself, or the
// framing allows none. It reports false where the browser did not read it in time.
func (t *Tunnel) sayGoodbye() bool {
	t.mu.Lock()
	code := t.code
	t.mu.Unlock()
	if t.frames.closed || !t.frames.boundary() || code == closeAbnormal {
		return true
	}
	return t.toBrowser([]byte{0x88, 2, byte(code >> 8), byte(code)})
}
