package main

import (
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
)

// lineWriter gathers log lines and writes them in batches. A crash of the machine
// may lose the last 100 ms; Close loses nothing. A full disk or a closed pipe loses
// lines and holds nobody up.
type lineWriter struct {
	mu   sync.Mutex
	out  io.Writer
	buf  []byte
	wake chan struct{} // something is there to be written
	stop chan struct{}
	done chan struct{}
}

func newLineWriter(out io.Writer) *lineWriter {
	w := &lineWriter{out: out, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go w.loop() // ends with Close
	return w
}

// Write implements [io.Writer]; p is one or more whole lines.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	first := len(w.buf) == 0
	w.buf = append(w.buf, p...)
	full := len(w.buf) >= logBatch
	if full {
		w.flush()
	}
	w.mu.Unlock()
	if first && !full {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
	return len(p), nil
}

func (w *lineWriter) loop() {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
		case <-w.stop:
			return
		}
		select {
		case <-time.After(logDelay):
		case <-w.stop:
			return
		}
		w.mu.Lock()
		w.flush()
		w.mu.Unlock()
	}
}

// flush writes what is there; w.mu is held.
func (w *lineWriter) flush() {
	if len(w.buf) > 0 {
		_, _ = w.out.Write(w.buf)
		w.buf = w.buf[:0]
	}
}

// Close writes what is left.
func (w *lineWriter) Close() error {
	close(w.stop)
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return nil
}

// newLog makes the program's log: JSON lines, durations in milliseconds.
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
	m.log.Warn("a library had something to say, which is not repeated because it may hold a secret")
	return len(p), nil
}
