package transcript_test

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// wire turns text as it stands in a table into bytes: the lines of the head end with
// CRLF, the body behind the empty line stays as it is, {length} is the body's length.
func wire(text string) string {
	text = strings.TrimPrefix(text, "\n")
	head, body, _ := strings.Cut(text, "\n\n")
	head = strings.ReplaceAll(head, "{length}", strconv.Itoa(len(body)))
	return strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + body
}

// message reads one HTTP message, piece by piece, and remembers it as raw bytes; only
// chunks are joined into one, because their boundaries are the network's.
type message struct {
	in    *bufio.Reader
	head  string
	body  strings.Builder
	after string // what came behind a chunked body: the last chunk, and trailers
	cut   string // how the message ended too early

	chunked, toEnd bool
	left           int64 // of the body, or of the chunk
	whole          bool
}

// readHead reads up to the empty line. io.EOF: nothing came.
func readHead(in *bufio.Reader) (string, error) {
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil && head.Len() > 0 {
			return head.String(), fmt.Errorf("in the middle of a head: %w", err)
		}
		if err != nil || line == "\r\n" {
			return head.String(), err
		}
	}
}

// field is the value of a field in a head; of several the first.
func field(head, name string) (string, bool) {
	for line := range strings.SplitSeq(head, "\r\n") {
		if n, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

func hasField(head, name, value string) bool {
	got, _ := field(head, name)
	return strings.EqualFold(got, value)
}

// frame finds out how the body ends. bodiless: there is none whatever the head says.
func (m *message) frame(isAnswer, bodiless bool) error {
	length, hasLength := field(m.head, "content-length")
	switch {
	case bodiless:
		m.whole = true
	case hasField(m.head, "transfer-encoding", "chunked"):
		m.chunked = true
	case hasLength:
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil {
			return err
		}
		m.left, m.whole = n, n == 0
	case isAnswer:
		m.toEnd = true
	default:
		m.whole = true
	}
	return nil
}

// next reads a piece of the body. It reports whether there may be more.
func (m *message) next() bool {
	if m.whole || m.cut != "" {
		return false
	}
	err := m.piece()
	if err != nil {
		m.cut = "the connection ended in the middle of the body"
	}
	return err == nil && !m.whole
}

func (m *message) piece() error {
	if m.chunked && m.left == 0 {
		return m.nextChunk()
	}
	buf := make([]byte, 32<<10)
	if !m.toEnd {
		buf = buf[:min(int64(len(buf)), m.left)]
	}
	n, err := m.in.Read(buf)
	m.body.Write(buf[:n])
	m.left -= int64(n)
	switch {
	case m.toEnd:
		m.whole = err == io.EOF
		if m.whole {
			err = nil
		}
	case m.left > 0:
	case m.chunked:
		_, err = io.ReadFull(m.in, make([]byte, 2))
	default:
		m.whole, err = true, nil
	}
	return err
}

func (m *message) nextChunk() error {
	line, err := m.in.ReadString('\n')
	if err != nil {
		return err
	}
	if m.left, err = strconv.ParseInt(strings.TrimSuffix(line, "\r\n"), 16, 64); err != nil || m.left > 0 {
		return err
	}
	m.after = line
	for {
		line, err := m.in.ReadString('\n')
		m.after += line
		if err != nil {
			return err
		}
		if line == "\r\n" {
			m.whole = true
			return nil
		}
	}
}

func (m *message) rest() {
	for m.next() {
	}
}

// String is the message as it came, chunks joined.
func (m *message) String() string {
	if !m.chunked {
		return m.head + m.body.String()
	}
	return m.head + joinChunks(m.body.String()) + m.after
}

func joinChunks(body string) string {
	if body == "" {
		return ""
	}
	return fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
}
