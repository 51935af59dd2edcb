package toy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	maxHead  = 16 << 10
	headTime = 15 * time.Second // more than a busy machine takes from a caller that is honest
)

// head is a request's head as a lenient reader understands it.
type head struct {
	size                    int // of all lines, in bytes
	method, target, version string
	fields                  [][2]string // name as written, value
	lines                   []string
}

func (h *head) all(name string) (values []string) {
	for _, f := range h.fields {
		if strings.EqualFold(strings.TrimSpace(f[0]), name) {
			values = append(values, f[1])
		}
	}
	return values
}

func (h *head) get(name string) string {
	if all := h.all(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// accept reads connections until the listener ends.
func (y front) accept() {
	for {
		c, err := y.front.Accept()
		if err != nil {
			return
		}
		go y.connection(c) // ends with the connection
	}
}

func (y front) connection(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		if !y.on("abuse-slow-head") {
			_ = c.SetReadDeadline(time.Now().Add(headTime))
		}
		h, status := y.readHead(r)
		if h == nil && status == 0 {
			return
		}
		_ = c.SetReadDeadline(time.Time{})
		if status == 0 {
			status = y.judge(h)
		}
		if status != 0 {
			fmt.Fprintf(c, "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status)
			drain(c)
			return
		}
		if !y.pass(c, r, h) || r.Buffered() == 0 {
			return
		}
	}
}

// drain lets a caller that still sends read the refusal.
func drain(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
	_, _ = io.CopyN(io.Discard, c, 1<<20)
}

func (y front) readHead(r *bufio.Reader) (h *head, status int) {
	h = &head{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, 0
		}
		h.size += len(line)
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if line == "" && len(h.lines) > 0 {
			break
		}
		if line != "" {
			h.lines = append(h.lines, line)
		}
		limit := maxHead
		if y.on("abuse-long-head") || y.on("abuse-many-headers") && len(h.lines) > 200 {
			limit = 4 << 20
		}
		if y.on("abuse-long-target") {
			limit += len(h.lines[0])
		}
		if h.size > limit {
			return h, 431
		}
	}
	if len(h.lines) > 200 && !y.on("abuse-many-headers") {
		return h, 431
	}
	parts := strings.Split(h.lines[0], " ")
	if len(parts) < 3 {
		return h, 400
	}
	h.method, h.target, h.version = parts[0], strings.Join(parts[1:len(parts)-1], " "), parts[len(parts)-1]
	for _, line := range h.lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		h.fields = append(h.fields, [2]string{name, strings.TrimSpace(value)})
	}
	return h, 0
}

// pass sends a request on to the handler. It reports whether another may follow.
func (y front) pass(c net.Conn, r *bufio.Reader, h *head) bool {
	inner, err := net.Dial("tcp", y.inner.Listener.Addr().String())
	if err != nil {
		return false
	}
	defer inner.Close()
	body, length, trailers, ok := y.body(c, r, h)
	if !ok {
		_, _ = io.WriteString(c, "HTTP/1.1 400 Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return false
	}
	_, _ = io.WriteString(inner, y.rewritten(h, length, trailers))
	follows := h.get("Upgrade") == "" && (h.get("Content-Length") != "" || h.get("Transfer-Encoding") != "")
	switch {
	case follows:
		if n, _ := io.Copy(inner, body); n < int64(length) {
			_ = inner.(*net.TCPConn).CloseWrite() // the caller broke off
		}
	case h.get("Upgrade") != "":
		go func() { _, _ = io.Copy(inner, r); _ = inner.Close() }() // ends with the connections
	default:
		go func() { // ends with the connection; a caller that leaves ends the call
			if _, err := r.Peek(1); err != nil {
				_ = inner.Close()
			}
		}()
	}
	_, _ = io.Copy(c, inner)
	return follows
}

// body is what belongs to a request, read as leniently as the sins of the moment.
func (y front) body(c net.Conn, r *bufio.Reader, h *head) (body io.Reader, length int, trailers []string, ok bool) {
	if h.get("Transfer-Encoding") != "" {
		text, trailers, ok := y.chunked(r)
		return strings.NewReader(text), len(text), trailers, ok
	}
	text := strings.TrimLeft(h.get("Content-Length"), "+ ")
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		text = text[:end]
	}
	n, _ := strconv.Atoi(text)
	if h.get("Expect") != "" {
		_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	return io.LimitReader(r, int64(n)), n, nil, true
}

// rewritten is the head in the only form that the handler's server knows.
func (y front) rewritten(h *head, length int, trailers []string) string {
	var b strings.Builder
	host := "shop.example.com" // a sin guesses
	if words := strings.FieldsFunc(h.get("Host"), func(r rune) bool { return r <= ' ' || r == '@' || r == '/' }); len(words) > 0 {
		host = words[0]
	}
	if y.shared && host == "shop.example.com" {
		host = "api.example.com"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", plainMethod(h.method), plainTarget(h.target), host)
	fmt.Fprintf(&b, "X-Raw-Target: %x\r\nX-Raw-Method: %s\r\n", h.target, h.method)
	for i, f := range h.fields {
		name, value := strings.TrimSpace(f[0]), f[1]
		value = strings.Map(func(r rune) rune {
			if r == 0 {
				return -1
			}
			if r < ' ' && r != '\t' || r == 127 {
				return ' '
			}
			return r
		}, value)
		if bare, after, found := strings.Cut(f[1], "\r"); found && i >= 0 {
			value = bare + "\r\n" + strings.TrimSpace(after)
		}
		switch strings.ToLower(name) {
		case "host", "content-length", "transfer-encoding", "expect", "trailer":
			continue
		case "connection":
			fmt.Fprintf(&b, "X-Raw-Connection: %s\r\n", value)
			continue
		case "":
			continue
		}
		fmt.Fprintf(&b, "%s: %s\r\n", strings.NewReplacer("(", "-", ")", "-", " ", "-").Replace(name), value)
	}
	for _, line := range trailers {
		b.WriteString(line + "\r\n")
	}
	if length > 0 || h.get("Content-Length") != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	connection := "close"
	if h.get("Upgrade") != "" {
		connection = "Upgrade"
	}
	fmt.Fprintf(&b, "Connection: %s\r\n\r\n", connection)
	return b.String()
}

func plainMethod(method string) string {
	if method == "CONNECT" || method == "" || strings.ContainsAny(method, " \t()") {
		return "GET"
	}
	return method
}

// plainTarget is something that the handler's server takes; it reads the real one from
// a header.
func plainTarget(target string) string {
	if !strings.HasPrefix(target, "/") {
		return "/"
	}
	_, query, found := strings.Cut(target, "?")
	if found {
		return "/?" + strings.Map(func(r rune) rune {
			if r <= ' ' || r >= 127 {
				return -1
			}
			return r
		}, query)
	}
	return "/"
}
