package proxy

import (
	"crypto/sha1" //nolint:gosec // RFC 6455 names it; it guards nothing
	"encoding/base64"
	"net"

	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy/tunnel"
	"coatcheck/upstream/mapping"
)

// websocketGUID is what the API must have hashed the key with (RFC 6455 §1.3).
const websocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// upgrade is a round trip that becomes a tunnel.
type upgrade struct{ *roundTrip }

// checkAccept verifies what the API answered (RFC 6455 §4.1): it speaks WebSocket,
// has read this very handshake, and chose nothing that was not offered.
func (x upgrade) checkAccept() error {
	head := x.call.Request.Head
	key, _ := head.Get("sec-websocket-key")
	sum := sha1.Sum(append(key[:len(key):len(key)], websocketGUID...)) //nolint:gosec // as above
	want := base64.StdEncoding.EncodeToString(sum[:])
	accept, accepts := field(x.answer.Fields, "sec-websocket-accept")
	upgrade, _ := field(x.answer.Fields, "upgrade")
	_, extended := field(x.answer.Fields, extensions)
	switch {
	case accepts != 1 || string(accept) != want:
		return problem.UpstreamInvalid.Because("Sec-WebSocket-Accept does not fit the handshake")
	case !http1.EqualFold(upgrade, "websocket"):
		return problem.UpstreamInvalid.Because("status 101 without Upgrade: websocket")
	case !x.agrees():
		return problem.UpstreamInvalid.Because("the API chose a subprotocol that was not offered")
	case extended > 0 && x.target.up.Send().Message != nil:
		return problem.UpstreamInvalid.Because("the API chose an extension, which the message of send does not survive")
	}
	return nil
}

// passUpgrade answers 101 and ties both connections together.
func (x upgrade) passUpgrade() error {
	if err := x.checkAccept(); err != nil {
		return err
	}
	if err := staying(x).track(&streamCancel{abort: x.abort}); err != nil {
		return err
	}
	x.switchProtocols()
	t := x.newTunnel()
	stop := x.endWithSession(t)
	x.handOver(t, stop)
	x.call.Reply.Upgrade = func(net.Conn) { t.Run() }
	return nil
}

// switchProtocols makes the head of the answer.
func (x upgrade) switchProtocols() {
	r := &x.call.Reply
	r.Status = 101
	incoming(x).passFields()
	if protocol, _ := field(x.answer.Fields, protocols); !offers(x.call.Request.Head, protocol) {
		r.Header.Del(mapping.Protocol) // it is ours, and may hold the token
	}
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "websocket")
}

// endWithSession ends the tunnel with the session, or with what proved the call. From here
// on that is the tunnel's to hear, and no longer the round trip's.
func (x upgrade) endWithSession(t *tunnel.Tunnel) (stop func()) {
	end := func() { t.End(tunnel.Policy) }
	unwatch := func() {}
	if x.who.Session != nil {
		unwatch = staying(x).watch(end)
	}
	forget, alive := staying(x).watchProof(end)
	if !alive() { // its end reached what the tunnel has just taken over from
		end()
	}
	return func() { unwatch(); forget() }
}

// handOver leaves to the tunnel what the round trip would free: its place among the streams
// of the session. It is freed when the browser's connection closes, and not when Run
// returns: Run is never called where the browser left before the 101, or a drain began.
func (x upgrade) handOver(t *tunnel.Tunnel, stop func()) {
	leave := x.leave
	x.leave = nil
	if leave == nil {
		leave = func() {}
	}
	open, counted := x.proxy.open, x.proxy.events.Metrics.Stream("websocket")
	open.tunnels.add(t)
	x.call.In.Conn().OnClose(func() { // each is done, also where one before it ends in a panic
		defer open.tunnels.remove(t)
		defer counted.Close()
		defer leave()
		defer stop()
		t.Close()
	})
}

func (x upgrade) newTunnel() *tunnel.Tunnel {
	idle := x.call.Route().Config.IdleTimeout
	return tunnel.New(tunnel.Options{Browser: x.call.In.Conn(), API: x.answer.Hijack(), Idle: idle, Write: min(idle, x.proxy.bodyIdle),
		Fill: x.fill(), Events: x.proxy.events, RequestID: string(x.call.ID)})
}

// fill puts the person into the first message; nil where nothing is put there.
func (x upgrade) fill() func(sent []byte) ([]byte, bool) {
	message := x.target.up.Send().Message
	if message == nil {
		return nil
	}
	token, who := x.token(), x.caller()
	return func(sent []byte) ([]byte, bool) { return message.Fill(sent, token, who) }
}
