package tunnel

import (
	"crypto/rand"
	"encoding/binary"
	"unicode/utf8"

	"coatcheck/upstream/mapping"
)

// Opcodes (RFC 6455 §5.2).
const (
	opContinue = 0x0
	opText     = 0x1
	finBit     = 0x80
)

// greeting puts the person into the first message that a page sends on a WebSocket, such
// as connection_init of graphql-transport-ws. Control frames in front of it, and between
// its fragments, pass; behind it everything does. Its zero value, but for fill, is ready.
type greeting struct {
	// fill makes the message that goes on of the one that came; false: it cannot.
	fill func(sent []byte) ([]byte, bool)
	// done reports that the message is behind us.
	done bool

	frame   []byte // of the frame under way, from its first byte on
	message []byte // of the message under way, without masks
	begun   bool
	out     []byte
}

// take reads what the page sent, and returns what goes on to the API. fault is a close
// code; then nothing more is to be read.
func (g *greeting) take(p []byte) (out []byte, fault int) {
	g.out = g.out[:0]
	for len(p) > 0 && !g.done {
		n, whole, fault := g.more(p)
		if p = p[n:]; whole {
			fault = g.frameCame()
			g.frame = g.frame[:0]
		}
		if fault != 0 {
			return g.out, fault
		}
	}
	return append(g.out, p...), 0
}

// more adds to the frame under way, never beyond it. whole reports that it is there; one
// that announces too much is a fault.
func (g *greeting) more(p []byte) (n int, whole bool, fault int) {
	for ; n < len(p); n++ {
		if _, _, known := frameHead(g.frame); known {
			break
		}
		g.frame = append(g.frame, p[n])
	}
	head, length, known := frameHead(g.frame)
	switch {
	case !known:
		return n, false, 0
	case length > mapping.MaxMessage:
		return n, false, closeTooBig
	}
	want := head + int(length) - len(g.frame) //nolint:gosec // at most MaxMessage
	take := min(want, len(p)-n)
	g.frame = append(g.frame, p[n:n+take]...)
	return n + take, take == want, 0
}

// frameHead is the size of a frame's head and the length of its payload, once known.
func frameHead(b []byte) (head int, length uint64, known bool) {
	length, known = frameLength(b)
	if !known {
		return 0, 0, false
	}
	head = 2
	switch b[1] & 0x7f {
	case 126:
		head += 2
	case 127:
		head += 8
	}
	if b[1]&0x80 != 0 {
		head += 4
	}
	return head, length, true
}

// frameCame takes note of a whole frame (RFC 6455 §5.4, §5.5).
func (g *greeting) frameCame() (fault int) {
	f := g.frame
	head, _, _ := frameHead(f)
	op := f[0] & 0x0f
	switch {
	case f[0]&0x70 != 0 || f[1]&0x80 == 0:
		return closeProtocol // no extension was agreed on, and what a browser sends is masked
	case op >= 0x8:
		g.out = append(g.out, f...)
		return 0
	case op == opText && !g.begun, op == opContinue && g.begun:
	case op > opContinue && !g.begun:
		return closeUnsupported
	default:
		return closeProtocol
	}
	g.begun = true
	mask := f[head-4 : head]
	for i, c := range f[head:] {
		g.message = append(g.message, c^mask[i%4])
	}
	switch {
	case len(g.message) > mapping.MaxMessage:
		return closeTooBig
	case f[0]&finBit == 0:
		return 0
	}
	return g.messageCame()
}

// messageCame sends the first message on, filled in.
func (g *greeting) messageCame() (fault int) {
	var filled []byte
	ok := utf8.Valid(g.message) // RFC 6455 §8.1
	if ok {
		filled, ok = g.fill(g.message)
	}
	clear(g.message)
	if !ok {
		return closeNotJSON
	}
	g.out = appendText(g.out, filled)
	g.done = true
	return 0
}

// appendText appends a text frame as a client writes it, under a fresh mask (RFC 6455
// §5.3).
func appendText(b, text []byte) []byte {
	b = append(b, finBit|opText)
	switch n := len(text); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	var mask [4]byte
	_, _ = rand.Read(mask[:]) // never fails
	b = append(b, mask[:]...)
	for i, c := range text {
		b = append(b, c^mask[i%4])
	}
	return b
}
