package http1_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"coatcheck/bff/http1"
)

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		head           string
		status, minor  int
		length         int64
		chunked, close bool
	}{
		{"HTTP/1.1 200 OK\r\n\r\n", 200, 1, -1, false, false},
		{"HTTP/1.1 200\r\n\r\n", 200, 1, -1, false, false},
		{"HTTP/1.1 200 \r\n\r\n", 200, 1, -1, false, false},
		{"HTTP/1.0 404 Not \xe9 Found\r\nContent-Length: 5\r\n\r\n", 404, 0, 5, false, false},
		{"HTTP/1.1 100 Continue\r\n\r\n", 100, 1, -1, false, false},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 200, 1, -1, true, false},
		{"HTTP/1.1 599 x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", 599, 1, -1, true, true},
	} {
		h, _, err := readAnswer(iotest.HalfReader(strings.NewReader(c.head)))
		if err != nil || h.Status != c.status || h.Minor != c.minor || h.Length != c.length || h.Chunked != c.chunked || h.Close != c.close {
			t.Errorf("%q: %+v, %v", c.head, h, err)
		}
	}
}

func TestMalformedAnswers(t *testing.T) {
	for _, head := range []string{
		"HTTP/1.1 000 x\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 600 x\r\n\r\n", "HTTP/1.1 999 x\r\n\r\n", "HTTP/1.1 1000 x\r\n\r\n", "HTTP/1.1 20 x\r\n\r\n",
		"HTTP/1.1 2xx x\r\n\r\n", "HTTP/1.1 +20 x\r\n\r\n", "HTTP/1.1 2 0 x\r\n\r\n", "HTTP/1.1  200 x\r\n\r\n", "HTTP/1.1\t200 x\r\n\r\n", "HTTP/1.1 200\tx\r\n\r\n", "HTTP/1.1 200x\r\n\r\n",
		"HTTP/1.1\r\n\r\n", "HTTP/1.1 \r\n\r\n", "HTTP/1.2 200 x\r\n\r\n", "HTTP/2.0 200 x\r\n\r\n", "HTTP/0.9 200 x\r\n\r\n", "http/1.1 200 x\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1200 x\r\n\r\n",
		"\r\nHTTP/1.1 200 x\r\n\r\n", " HTTP/1.1 200 x\r\n\r\n", "HTTP/1.1 200 a\x00\r\n\r\n", "HTTP/1.1 200 a\rb\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1 200 OK\r\nX: y\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", "HTTP/1.1 200 OK\r\n X: y\r\n\r\n", "<html>\r\n\r\n", "\x15\x03\x01\x00\x02\x02",
	} {
		if _, _, err := readAnswer(strings.NewReader(head)); !errors.Is(err, http1.ErrMalformed) {
			t.Errorf("%q: %v", head, err)
		}
	}
}
