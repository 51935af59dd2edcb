package tunnel

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
