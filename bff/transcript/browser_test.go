package transcript_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

// browser is one connection to the program, on a raw socket.
type browser struct {
	net.Conn
	p    *play
	in   *bufio.Reader
	last string // method of the request at work
	open *message
	over bool
}

func (p *play) dial(addr string) *browser {
	p.t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		p.t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	b := &browser{Conn: c, p: p, in: bufio.NewReader(c)}
	p.open = append(p.open, b)
	return b
}

// send sends a request, or a part of one, as it stands.
func (b *browser) send(raw string) {
	b.p.t.Helper()
	raw = b.p.expand(raw)
	b.p.add(sent, raw)
	if method, _, ok := strings.Cut(raw, " "); ok && b.last == "" {
		b.last = method
	}
	if _, err := b.Write([]byte(raw)); err != nil {
		b.p.note("sending failed")
	}
}

// readHead reads the head of an answer.
func (b *browser) readHead() *message {
	b.p.t.Helper()
	head, err := readHead(b.in)
	if err != nil {
		if errors.Is(err, io.EOF) && head == "" {
			b.over = true
			b.p.note("the connection ended without an answer")
			return &message{whole: true, cut: "nothing"}
		}
		b.p.t.Fatalf("no answer: %v\n%s", err, b.p.transcriptSoFar())
	}
	b.open = &message{in: b.in, head: head}
	status := b.open.status()
	bodiless := b.last == "HEAD" || status[0] == '1' || status == "204" || status == "304"
	if err := b.open.frame(true, bodiless); err != nil {
		b.p.t.Fatal(err)
	}
	return b.open
}

// status is the status of an answer.
func (m *message) status() string {
	_, rest, _ := strings.Cut(m.head, " ")
	return (rest + "   ")[:3]
}

// read reads one whole answer; interim ones are read with [browser.readHead].
func (b *browser) read() *message {
	b.p.t.Helper()
	m := b.readHead()
	if m.head == "" {
		return m
	}
	b.finish(m)
	return m
}

// until reads on until the body holds this.
func (b *browser) until(text string) {
	b.p.t.Helper()
	for !strings.Contains(b.open.body.String(), text) {
		if !b.open.next() {
			b.p.t.Fatalf("the body ended before %q: %q", text, b.open)
		}
	}
}

// finish reads the rest of an answer and puts it into the transcript.
func (b *browser) finish(m *message) {
	b.p.t.Helper()
	m.rest()
	b.last = ""
	b.p.add(received, m.String())
	if m.cut != "" {
		b.p.note("%s", m.cut)
	}
	b.p.learn(m)
	if m.cut != "" || m.toEnd || hasField(m.head, "connection", "close") {
		b.mustEnd()
	}
}

// mustEnd notes that the program ended the connection.
func (b *browser) mustEnd() {
	b.p.t.Helper()
	b.over = true
	if rest, err := io.ReadAll(b.in); err == nil || len(rest) > 0 {
		b.p.note("the connection is closed")
		if len(rest) > 0 {
			b.p.add(received, string(rest))
		}
	} else if isTimeout(err) {
		b.p.t.Fatalf("the connection was not closed\n%s", b.p.transcriptSoFar())
	} else {
		b.p.note("the connection is reset")
	}
	_ = b.Close()
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
