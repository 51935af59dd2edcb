package world

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Wire is what came back along a raw connection.
type Wire struct {
	// Answers are the answers that could be read, Bodies their bodies.
	Answers []*http.Response
	Bodies  []string
	// Closed: the other side ended the connection.
	Closed bool
	// Broken: an answer ended before its own framing says so.
	Broken bool
}

// Status of the first answer; 0: there is none.
func (w *Wire) Status() int {
	if len(w.Answers) == 0 {
		return 0
	}
	return w.Answers[0].StatusCode
}

// Raw sends bytes as they are and reads answers until the other side closes. It waits for
// the first answer as long as first says, and for each further one as long as more says:
// who gives up early takes a busy subject for one that refuses.
func Raw(address, text string, first, more time.Duration) *Wire {
	w := &Wire{}
	c, err := net.Dial("tcp", address)
	if err != nil {
		w.Closed = true
		return w
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.WriteString(c, text) // who refuses early may reset
	method, _, _ := strings.Cut(text, " ")
	r := bufio.NewReader(c)
	for {
		_ = c.SetReadDeadline(time.Now().Add(first))
		got, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			var late net.Error
			w.Closed = !(errors.As(err, &late) && late.Timeout())
			return w
		}
		if got.StatusCode == http.StatusSwitchingProtocols { // what follows is no answer, and has no end
			w.Answers, w.Bodies = append(w.Answers, got), append(w.Bodies, "")
			return w
		}
		body, err := io.ReadAll(io.LimitReader(got.Body, 4<<20))
		if got.StatusCode >= 200 {
			w.Answers, w.Bodies, first = append(w.Answers, got), append(w.Bodies, string(body)), more
		}
		if err != nil {
			w.Broken, w.Closed = true, true
			return w
		}
	}
}

// Drip is a connection that a case talks along by itself.
func Drip(address string) (net.Conn, error) {
	c, err := net.Dial("tcp", address)
	if err == nil {
		_ = c.SetDeadline(time.Now().Add(40 * time.Second))
	}
	return c, err
}
