package tunnel

import (
	"errors"

	"coatcheck/bff/call"
)

// RunBroken runs a tunnel without its ends.
func RunBroken(events call.Events) error {
	t := New(Options{Events: events})
	t.Run()
	if t.code == 0 {
		return nil
	}
	return errors.New("ended")
}

// FrameHead is the size of a frame's head and of its payload.
var FrameHead = frameHead

// Greet lets the parts of what a page sends pass a greeting: what goes on, the first
// message as it came, and the close code.
func Greet(parts [][]byte) (out, message []byte, fault int) {
	g := &greeting{fill: func(sent []byte) ([]byte, bool) {
		message = append([]byte{}, sent...)
		return []byte("filled"), true
	}}
	for _, p := range parts {
		if g.done {
			out = append(out, p...)
			continue
		}
		more, fault := g.take(p)
		out = append(out, more...)
		if fault != 0 {
			return out, message, fault
		}
	}
	return out, message, 0
}
