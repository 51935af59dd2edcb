package process

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"log/slog"
	"sync"
	"time"
)

// Lines are written together: one write per batch costs a call less than one per line.
const (
	logBatch = 32 << 10
	logDelay = 100 * time.Millisecond
	logMost  = 4 << 20         // bytes that wait for a reader of the log that has stopped
	logLast  = 2 * time.Second // how long the end of the process waits for one
)

// lineWriter gathers log lines and writes them in batches, from a goroutine of its
// own: a reader that stops, a full disk or a closed pipe loses lines and holds nobody
// up. What was lost is counted in a line of its own as soon as one can be written. A
// crash may lose the last 100 ms; Close loses nothing that can be written.
type lineWriter struct {
	out  io.Writer
	wake chan struct{} // something is there to be written
	full chan struct{} // a whole batch is
	stop chan struct{}
	done chan struct{}

	mu   sync.Mutex
	buf  []byte
	lost int
}

func newLineWriter(out io.Writer) *lineWriter {
	w := &lineWriter{out: out, wake: make(chan struct{}, 1), full: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go w.loop() // ends with Close
	return w
}

// Write implements [io.Writer]; p is one whole line.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	before := len(w.buf)
	if before+len(p) > logMost {
		w.lost++
		w.mu.Unlock()
		return len(p), nil
	}
	w.buf = append(w.buf, p...)
	after := len(w.buf)
	w.mu.Unlock()
	if before == 0 {
		notify(w.wake)
	}
	if before < logBatch && after >= logBatch {
		notify(w.full)
	}
	return len(p), nil
}

func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (w *lineWriter) loop() {
	defer close(w.done)
	var spare []byte
	for stopped := false; !stopped; {
		select {
		case <-w.wake:
			select {
			case <-time.After(logDelay):
			case <-w.full:
			case <-w.stop:
			}
		case <-w.stop:
			stopped = true
		}
		spare = w.flush(spare)
	}
}

// flush writes what is there, without holding up those who add to it, and returns
// memory for the next batch.
func (w *lineWriter) flush(spare []byte) []byte {
	w.mu.Lock()
	batch, lost := w.buf, w.lost
	w.buf, w.lost = spare[:0], 0
	w.mu.Unlock()
	lines := len(batch)
	if lost > 0 {
		batch = fmt.Appendf(batch, `{"time":"%s","level":"WARN","msg":"log lines were lost","lost":%d}`+"\n", time.Now().Format(time.RFC3339Nano), lost)
	}
	if len(batch) > 0 {
		if n, err := w.out.Write(batch); err != nil {
			w.lose(lost + bytes.Count(batch[min(n, lines):lines], []byte("\n")))
		}
	}
	if cap(batch) > 2*logBatch {
		return nil
	}
	return batch
}

// lose counts lines that were not written.
func (w *lineWriter) lose(lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost += lines
}

// Close writes what is left, if somebody reads it soon.
func (w *lineWriter) Close() error {
	close(w.stop)
	select {
	case <-w.done:
	case <-time.After(logLast):
	}
	return nil
}

// newLog makes the program's log: JSON lines by slog.
func newLog(out io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
}

func levelOf(name string) slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(name)) // checked by package configs
	return level
}

// muteStandardLog keeps the standard library's own messages, which may hold what an API
// or a caller sent, out of the log: each becomes one line that says nothing of it.
func muteStandardLog(to *slog.Logger) *log.Logger {
	quiet := log.New(mute{to}, "", 0)
	log.SetFlags(0)
	log.SetOutput(mute{to})
	return quiet
}

type mute struct{ log *slog.Logger }

func (m mute) Write(p []byte) (int, error) {
	m.log.Warn("a library logged something that is not shown, because it may hold a secret")
	return len(p), nil
}
