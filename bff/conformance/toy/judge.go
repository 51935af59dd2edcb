package toy

import (
	"bufio"
	"io"
	"slices"
	"strconv"
	"strings"
)

// rule is one thing that is wrong with a head; its id is the promise to refuse it.
type rule struct {
	id     string
	status int
	broken func(h *head) bool
}

const tokenBytes = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func bad(length string) string {
	switch {
	case strings.Contains(length, ","):
		return "framing-length-list"
	case strings.HasPrefix(length, "+"):
		return "framing-length-plus"
	case strings.HasPrefix(length, "-"):
		return "framing-length-negative"
	}
	return "framing-length-text"
}

func lengthRule(id string) rule {
	return rule{id, 400, func(h *head) bool {
		length := h.all("Content-Length")
		return len(length) == 1 && !digits(length[0]) && bad(length[0]) == id
	}}
}

func anyField(f func(name, value string) bool) func(*head) bool {
	return func(h *head) bool {
		return slices.ContainsFunc(h.fields, func(p [2]string) bool { return f(p[0], p[1]) })
	}
}

var rules = []rule{
	{"framing-length-and-chunked", 400, func(h *head) bool { return h.get("Content-Length") != "" && h.get("Transfer-Encoding") != "" }},
	{"framing-two-lengths", 400, func(h *head) bool { return len(h.all("Content-Length")) > 1 }},
	lengthRule("framing-length-list"), lengthRule("framing-length-plus"), lengthRule("framing-length-negative"), lengthRule("framing-length-text"),
	{"framing-coding-unknown", 501, func(h *head) bool {
		coding := h.get("Transfer-Encoding")
		return coding != "" && coding != "chunked" && !strings.Contains(coding, ",")
	}},
	{"framing-coding-list", 400, func(h *head) bool { return strings.Contains(h.get("Transfer-Encoding"), ",") }},
	{"framing-coding-old", 400, func(h *head) bool { return h.get("Transfer-Encoding") != "" && h.version == "HTTP/1.0" }},
	{"framing-leading-space", 400, func(h *head) bool { return len(h.lines) > 1 && strings.HasPrefix(h.lines[1], " ") }},
	{"framing-fold", 400, func(h *head) bool {
		return slices.ContainsFunc(h.lines[min(2, len(h.lines)):], func(line string) bool { return line[0] == ' ' || line[0] == '\t' })
	}},
	{"framing-space-colon", 400, anyField(func(name, _ string) bool {
		return strings.TrimRight(name, " \t") != name && strings.TrimLeft(name, " \t") == name
	})},
	{"framing-name", 400, anyField(func(name, _ string) bool {
		return strings.Trim(strings.TrimSpace(name), tokenBytes) != "" || strings.ContainsAny(name, "()")
	})},
	{"framing-nul", 400, anyField(func(_, value string) bool { return strings.Contains(value, "\x00") })},
	{"framing-bare-cr", 400, anyField(func(_, value string) bool { return strings.Contains(value, "\r") })},
	{"framing-no-host", 400, func(h *head) bool { return len(h.all("Host")) == 0 }},
	{"framing-two-hosts", 400, func(h *head) bool { return len(h.all("Host")) > 1 }},
	{"framing-bad-host", 400, func(h *head) bool { return len(h.all("Host")) == 1 && strings.ContainsAny(h.get("Host"), " @/") }},
	{"framing-version", 505, func(h *head) bool { return h.version != "HTTP/1.1" && h.version != "HTTP/1.0" }},
	{"framing-trace", 405, func(h *head) bool { return h.method == "TRACE" }},
	{"framing-connect", 405, func(h *head) bool { return h.method == "CONNECT" }},
}

// judge is the status of a refusal; 0: the head may pass.
func (y front) judge(h *head) int {
	for _, r := range rules {
		if r.broken(h) && !y.on(r.id) {
			return r.status
		}
	}
	return 0
}

// chunked reads a chunked body whole.
func (y front) chunked(r *bufio.Reader) (text string, trailers []string, ok bool) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", nil, false
		}
		size, ok := y.chunkSize(strings.TrimRight(line, "\r\n"))
		if !ok {
			return "", nil, false
		}
		if size == 0 {
			break
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return "", nil, false
		}
		text += string(b)
		end, _ := r.Peek(2)
		if string(end) == "\r\n" {
			_, _ = r.Discard(2)
		} else if !y.on("framing-chunk-end") {
			return "", nil, false
		}
	}
	for {
		line, err := r.ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if err != nil || line == "" {
			return text, trailers, err == nil
		}
		if y.on("framing-trailers") {
			trailers = append(trailers, line)
		}
	}
}

func (y front) chunkSize(text string) (int, bool) {
	text, _, _ = strings.Cut(text, ";")
	if strings.HasPrefix(text, "0x") && y.on("framing-chunk-size") {
		text = text[2:]
	}
	if len(text) > 8 && y.on("framing-chunk-overflow") {
		text = text[len(text)-4:]
	}
	n, err := strconv.ParseUint(text, 16, 24)
	return int(n), err == nil && text != ""
}
