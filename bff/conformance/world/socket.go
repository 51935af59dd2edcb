package world

import (
	"crypto/sha1" // of the WebSocket protocol
	"encoding/base64"
	"net/http"
)

// Acceptance is what a server answers to a WebSocket handshake's key (RFC 6455, 4.2.2).
func Acceptance(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// AcceptSocket answers a WebSocket handshake, and reads until the end.
func AcceptSocket(w http.ResponseWriter, r *http.Request) {
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = c.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + Acceptance(r.Header.Get("Sec-WebSocket-Key")) + "\r\n\r\n"))
	_, _ = c.Write([]byte("\x81\x05hello"))
	_, _ = buffered.ReadByte()
	_, _ = buffered.Discard(1 << 30)
}
