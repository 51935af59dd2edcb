package process

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/rig"
)

// disk is full until it is cleared.
type disk struct {
	mu      sync.Mutex
	cleared bool
	refused int // lines
	kept    bytes.Buffer
}

func (d *disk) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cleared {
		return d.kept.Write(p)
	}
	d.refused += bytes.Count(p, []byte("line "))
	return 0, errors.New("no space left")
}

func (d *disk) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cleared = true
}

func (d *disk) refusedAll(n int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused == n
}

// TestFullDiskIsTold: lines that could not be written are counted in a line of its own, once
// one can be written again.
func TestFullDiskIsTold(t *testing.T) {
	d := new(disk)
	w := newLineWriter(d)
	for n := 1; n <= 3; n++ { // each in a batch of its own, so that a count that fails is not lost either
		_, _ = fmt.Fprintf(w, "line %d\n", n)
		rig.Until(t, "a line to be refused", func() bool { return d.refusedAll(n) })
	}
	d.clear()
	_, _ = fmt.Fprintf(w, "line 4\n")
	_ = w.Close()
	if got := d.kept.String(); !strings.HasPrefix(got, "line 4\n") || !strings.Contains(got, `"msg":"log lines were lost","lost":3}`) {
		t.Errorf("log: %q", got)
	}
}
