package server

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 names it; it guards nothing
	"encoding/base64"
	"maps"
	"net"
	"slices"
	"sync"

	"coatcheck/bff/http1"
)

// Close codes (RFC 6455 §7.4.1).
const (
	closeGoingAway = 1001
	closeAbnormal  = 1006 // never sent: the connection ends without a close frame
	closePolicy    = 1008
	closeInternal  = 1011 // the API is gone. 1014 would say more, but many a library does not know it
)

// websocketGUID is what the API must have hashed the key with (RFC 6455 §1.3).
const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// checkHandshake verifies what the browser asks for (RFC 6455 §4.2.1).
func (s *Server) checkHandshake(x *exchange) error {
	if s.draining.Load() {
		return errDraining
	}
	if !isSoundHandshake(x.head) {
		return errBadRequest
	}
	return nil
}

func isSoundHandshake(h *http1.Head) bool {
	version, versions := h.Get("sec-websocket-version")
	key, keys := h.Get("sec-websocket-key")
	raw, err := base64.StdEncoding.DecodeString(string(key))
	return versions == 1 && string(version) == "13" && keys == 1 && err == nil && len(raw) == 16 &&
		h.Minor == 1 && !h.Close && !h.Chunked && h.Length <= 0
}

// checkAccept verifies what the API answered (RFC 6455 §4.1): it speaks WebSocket,
// has read this very handshake, and chose nothing that was not offered.
func (x *exchange) checkAccept() error {
	key, _ := x.head.Get("sec-websocket-key")
	sum := sha1.Sum(append(key[:len(key):len(key)], websocketGUID...)) //nolint:gosec // as above
	want := base64.StdEncoding.EncodeToString(sum[:])
	accept, accepts := field(x.answer.Fields, "sec-websocket-accept")
	upgrade, _ := field(x.answer.Fields, "upgrade")
	protocol, protocols := field(x.answer.Fields, "sec-websocket-protocol")
	offered, _ := x.head.Get("sec-websocket-protocol")
	if accepts != 1 || string(accept) != want || !http1.EqualFold(upgrade, "websocket") ||
		protocols > 1 || protocols == 1 && !listNames(offered, protocol) {
		return errInvalid
	}
	return nil
}

func field(fields []http1.Field, lower string) (value []byte, count int) {
	for i := range fields {
		if http1.EqualFold(fields[i].Name, lower) {
			value = fields[i].Value
			count++
		}
	}
	return value, count
}

// passUpgrade answers 101 and ties both connections together.
func (s *Server) passUpgrade(x *exchange) error {
	if err := x.checkAccept(); err != nil {
		_ = x.answer.Close()
		return err
	}
	if err := x.tie(&tether{abort: x.abort}); err != nil {
		_ = x.answer.Close()
		return err
	}
	x.ctx.SetStatusCode(101)
	x.passFields()
	x.set("Connection", "Upgrade")
	x.set("Upgrade", "websocket")
	conn := x.request.Conn()
	t := s.newTunnel(x)
	stop := func() {}
	if x.session != nil { // its word goes to the tunnel from now on
		stop = s.watch(x, func() { t.end(closePolicy) })
	}
	leave := x.leave
	x.leave = nil // the tunnel's now
	s.tunnels.add(t)
	s.metrics.Stream("websocket", 1)
	// The web server may end the connection without ever letting the tunnel begin:
	// the browser left before the answer, or a drain began.
	conn.OnClose(func() {
		t.close()
		stop()
		if leave != nil {
			leave()
		}
		s.metrics.Stream("websocket", -1)
		s.tunnels.remove(t)
	})
	x.ctx.Hijack(func(net.Conn) { t.run() }) // its goroutine ends with the tunnel; the web server closes behind it
	return nil
}

func (s *Server) newTunnel(x *exchange) *tunnel {
	idle := x.route.config.IdleTimeout
	return &tunnel{browser: x.request.Conn(), api: x.answer.Hijack(), idle: idle, fault: s.fault,
		write: min(idle, x.snapshot.config.Limits.BodyIdle), requestID: string(x.requestID)}
}

// frames follows the heads of frames in a stream (RFC 6455 §5.2).
type frames struct {
	head   []byte // of the frame that begins, until it is whole
	left   uint64 // bytes of the payload that are still to come
	closed bool   // a close frame began: nothing may follow it (§5.5.1)
}

func (f *frames) boundary() bool { return len(f.head) == 0 && f.left == 0 }

// follow takes note of all of p.
func (f *frames) follow(p []byte) {
	for len(p) > 0 {
		p = p[f.step(p):]
	}
}

// toBoundary takes note of p up to the end of the frame under way, and returns how
// much of p that was.
func (f *frames) toBoundary(p []byte) (n int) {
	for n < len(p) && !f.boundary() {
		n += f.step(p[n:])
	}
	return n
}

// step takes note of the beginning of p, at least one byte and never beyond a frame.
func (f *frames) step(p []byte) int {
	if f.left > 0 {
		n := min(uint64(len(p)), f.left)
		f.left -= n
		return int(n) //nolint:gosec // at most len(p)
	}
	f.head = append(f.head, p[0])
	if length, whole := frameLength(f.head); whole {
		f.closed = f.closed || f.head[0]&0x0f == 0x8
		f.left, f.head = length, f.head[:0]
	}
	return 1
}

// frameLength reads the length of the payload, with the mask that a server should
// not send, once the head is whole.
func frameLength(head []byte) (length uint64, whole bool) {
	if len(head) < 2 {
		return 0, false
	}
	more, mask := 0, 0
	length = uint64(head[1] & 0x7f)
	switch length {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if head[1]&0x80 != 0 {
		mask = 4
	}
	if len(head) < 2+more+mask {
		return 0, false
	}
	if more > 0 {
		length = 0
		for _, b := range head[2 : 2+more] {
			length = length<<8 | uint64(b)
		}
	}
	return length, true
}

// tunnels are those that are open, so that a drain can end them.
type tunnels struct {
	mu   sync.Mutex
	open map[*tunnel]struct{}
	wait sync.WaitGroup
}

func (s *tunnels) add(t *tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[*tunnel]struct{}{}
	}
	s.open[t] = struct{}{}
	s.wait.Add(1)
}

func (s *tunnels) remove(t *tunnel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, t)
	s.wait.Done()
}

// end tells all browsers that this process goes away.
func (s *tunnels) end() {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	for _, t := range open {
		t.end(closeGoingAway)
	}
}
