package call_test

import (
	"io"
	"testing"

	"coatcheck/bff/call"
)

// closing is a stream that counts how often it is closed, and has a fault then.
type closing struct {
	io.Reader
	times *int
}

func (c closing) Close() error {
	*c.times++
	panic("fault")
}

// TestDropOnce: however often a reply is dropped, and whatever fault that meets, its stream
// is closed once, and what it holds of others is freed once.
func TestDropOnce(t *testing.T) {
	for name, end := range map[string]func(*call.Reply){"dropped": (*call.Reply).Drop, "closed before": func(r *call.Reply) { defer r.Drop(); _ = r.CloseStream() }} {
		closed, freed := 0, 0
		r := call.Reply{Stream: closing{times: &closed}, Finally: func() { freed++ }}
		for range 3 {
			func() {
				defer func() { _ = recover() }()
				end(&r)
			}()
			if closed != 1 || freed != 1 {
				t.Errorf("%s: closed %d times, freed %d times", name, closed, freed)
			}
		}
	}
}
