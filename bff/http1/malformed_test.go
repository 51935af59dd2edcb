package http1_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"coatcheck/bff/http1"
)

const limit = 16 << 10

// readRequest and readAnswer read one head from a text, byte by byte or at once.
func readRequest(from io.Reader) (*http1.Head, *http1.Reader, error) {
	var h http1.Head
	var r http1.Reader
	r.Reset(from)
	return &h, &r, h.ReadRequest(&r, limit)
}

func readAnswer(from io.Reader) (*http1.Head, *http1.Reader, error) {
	var h http1.Head
	var r http1.Reader
	r.Reset(from)
	return &h, &r, h.ReadResponse(&r, limit)
}

// malformedRequests are heads that must never get in, by the rule they break.
func malformedRequests() map[string][]string {
	// with puts lines into a head that is well-formed but for them.
	with := func(lines ...string) (heads []string) {
		for _, l := range lines {
			heads = append(heads, "GET / HTTP/1.1\r\nHost: a\r\n"+l+"\r\n\r\n")
		}
		return heads
	}
	// host puts a value into the Host line.
	host := func(values ...string) (heads []string) {
		for _, v := range values {
			heads = append(heads, "GET / HTTP/1.1\r\nHost: "+v+"\r\n\r\n")
		}
		return heads
	}
	// first puts a start line in front of a well-formed rest.
	first := func(lines ...string) (heads []string) {
		for _, l := range lines {
			heads = append(heads, l+"\r\nHost: a\r\n\r\n")
		}
		return heads
	}
	table := map[string][]string{
		"lengths": with("Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1, 1",
			"Content-Length: 1,2", "Content-Length: +1", "Content-Length: -1", "Content-Length: -0", "Content-Length:", "Content-Length: ",
			"Content-Length: 0x1", "Content-Length: 1e1", "Content-Length: 1.0", "Content-Length: 1 1", "Content-Length: 1_0", "Content-Length: ١",
			"Content-Length: 9999999999999999999", "Content-Length: 18446744073709551617", "Content-Length: "+strings.Repeat("0", 30),
			"Content-Length: one", "Content-Length: 1;", "Content-Length: \"1\"", "content-length: 1\r\nCONTENT-LENGTH: 1", "Content-Length: 1\x00", "Content-Length: \v1"),
		"codings": with("Transfer-Encoding: gzip", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
			"Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
			"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: ,chunked",
			"Transfer-Encoding: chunked,", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding:", "Transfer-Encoding: \vchunked",
			"Transfer-Encoding: \x00chunked", "Transfer-Encoding: chu nked", "Transfer-Encoding: c\u212Aunked", "Transfer-Encoding: Chunked", "Transfer-Encoding: CHUNKED"),
		"two framings": with("Content-Length: 1\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 1", "Content-Length: 0\r\nTransfer-Encoding: chunked",
			"transfer-encoding: chunked\r\nX: y\r\ncontent-length: 5"),
		"an old framing": {"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
		"names": with(" X: y", "\tX: y", "X : y", "X\t: y", "X Y: z", "Transfer- Encoding: chunked", "Transfer-Encoding : chunked", "Content-Length : 1", ": y", " : y",
			"X", "X\x00: y", "X\x01: y", "X\x7f: y", "X\x80: y", "Xé: y", "X(: y", "X): y", "X,: y", "X/: y", "X;: y", "X<: y", "X=: y", "X>: y", "X?: y", "X@: y",
			"X[: y", "X\\: y", "X]: y", "X{: y", "X}: y", "X\": y", "{\"a\": 1}", "\rX: y", "X\r: y", "\x00: y", "\vX: y", "Content-Length\x00: 1"),
		"values": with("X: a\x00b", "X: \x00", "X: a\x01b", "X: a\x08b", "X: a\vb", "X: a\fb", "X: a\x0eb", "X: a\x1bb", "X: a\x1fb", "X: a\x7fb", "X: a\rb", "X: \r", "X: a\r\rb", "Cookie: a=\x01"),
		"lines": {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
			"GET / HTTP/1.1\r\nHost: a\r\nX: y\nZ: 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\rX: y\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\r\n\r\n", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
			"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n"},
		"folds": with("X: y\r\n z", "X: y\r\n\tz", "X: y\r\n \r\nZ: 1", "Transfer-Encoding:\r\n chunked", "Content-Length:\r\n 1"), /* and on the first line: */
		"start lines": first("GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ", " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET /\tHTTP/1.1", "GET / x HTTP/1.1", "GET /", "GET", "/ HTTP/1.1",
			"GET HTTP/1.1", "GET / ", "GET / HTTP/1.1\r", "GET\x00 / HTTP/1.1", "GE(T / HTTP/1.1", "G\xc9T / HTTP/1.1", "\"GET\" / HTTP/1.1", "GET / HTTP/1.1;", "\tGET / HTTP/1.1", ": / HTTP/1.1"),
		"versions": first("GET / HTTP/0.9", "GET / HTTP/1.2", "GET / HTTP/1.10", "GET / HTTP/2.0", "GET / HTTP/2", "GET / HTTP/3", "GET / HTTP/9.9", "GET / HTTP/1", "GET / HTTP/1.", "GET / HTTP/01.1",
			"GET / http/1.1", "GET / HTTPS/1.1", "GET / ICE/1.0", "GET / HTTP/+1.1", "GET / HTTP/1,1", "GET / HTTP 1.1", "GET / \x00TTP/1.1", "PRI * HTTP/2.0"),
		"targets": first("GET /\x00 HTTP/1.1", "GET /\x01 HTTP/1.1", "GET /\x1f HTTP/1.1", "GET /\x7f HTTP/1.1", "GET /\x80 HTTP/1.1", "GET /é HTTP/1.1", "GET /\xff HTTP/1.1", "GET /a\tb HTTP/1.1", "GET /a\rb HTTP/1.1", "GET /a\vb HTTP/1.1"),
		"hosts": host("", " ", "a b", "a\tb", "user@a", "a:b", "a:65536", "a:99999", "[::1]:65536", "a:123456", "a:-1", "a::1", "a/b", "a?b", "a#b", "a\\b", "a,b", "a;b", "[::1", "::1]", "[]", "[::1]a", "[::1]:x", "[::1%25eth0]", "é", "\xff",
			"a%41", "(a)", "<a>", "\"a\"", "'a'", "a=b", "a&b", "a|b", "a^b", ":80", "a:80:80", "a*b", "{a}", "$a"),
	}
	table["hosts"] = append(table["hosts"], "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")
	table["folds"] = append(table["folds"], "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "GET / HTTP/1.1\r\n\tHost: a\r\nHost: a\r\n\r\n")
	table["other protocols"] = []string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x00\x00\x00\x00", "\x80.\x01\x00\x02", "{\"a\":1}\r\n\r\n", "<x/>\r\n\r\n", "*1\r\n$4\r\nPING\r\n\r\n", "\x05\x01\x00",
		"\xef\xbb\xbfGET / HTTP/1.1\r\nHost: a\r\n\r\n", "HELO a\r\nMAIL FROM:<a>\r\n\r\n"}
	return table
}

func TestMalformedRequests(t *testing.T) {
	count := 0
	for rule, heads := range malformedRequests() {
		for i, head := range heads {
			count++
			t.Run(fmt.Sprint(rule, "/", i), func(t *testing.T) {
				_, _, atOnce := readRequest(strings.NewReader(head))
				_, _, byByte := readRequest(iotest.OneByteReader(strings.NewReader(head)))
				for _, err := range []error{atOnce, byByte} {
					if !errors.Is(err, http1.ErrMalformed) {
						t.Errorf("%q: %v", head, err)
					}
				}
			})
		}
	}
	if count < 150 {
		t.Errorf("only %d malformed requests", count)
	}
}

// No error says a byte of what was read: heads hold cookies and tokens.
func TestErrorsSayNothing(t *testing.T) {
	const mark = "s3cr3tmark"
	for _, head := range []string{
		"GET /" + mark + "\x01 HTTP/1.1\r\n\r\n", mark + " \x01 / HTTP/1.1\r\n\r\n", "GET / " + mark + "\r\n\r\n", "GET / HTTP/1.1\r\nHost: " + mark + "@" + mark + "\r\n\r\n",
		"GET / HTTP/1.1\r\nCookie: " + mark + "\x01\r\n\r\n", "GET / HTTP/1.1\r\n" + mark + "(: x\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: " + mark + "\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: " + mark + "\r\n\r\n", mark + mark, "HTTP/1.1 " + mark + "\r\n\r\n", "HTTP/1.1 200 " + mark + "\x01\r\n\r\n",
	} {
		_, _, asRequest := readRequest(strings.NewReader(head))
		_, _, asAnswer := readAnswer(strings.NewReader(head))
		for _, err := range []error{asRequest, asAnswer} {
			if err == nil || strings.Contains(err.Error(), mark) {
				t.Errorf("%q: %v", head, err)
			}
		}
	}
}

// What is well-formed gets in, as it was sent.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		head           string
		method, target string
		host           string
		minor          int
		length         int64
		chunked        bool
		closes, keeps  bool
		fields         int
		rest           string
	}{
		{head: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", target: "/", host: "a", minor: 1, length: -1, fields: 1},
		{head: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", target: "/", host: "a", minor: 1, length: -1, fields: 1},
		{head: "GET /a?b=%zz&c=\"<>^`{|}' HTTP/1.1\r\nHost: a:8080\r\n\r\n", method: "GET", target: "/a?b=%zz&c=\"<>^`{|}'", host: "a:8080", minor: 1, length: -1, fields: 1},
		{head: "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", method: "GET", target: "http://b/", host: "a", minor: 1, length: -1, fields: 1},
		{head: "OPTIONS * HTTP/1.1\r\nhOsT: [::1]:80\r\n\r\n", method: "OPTIONS", target: "*", host: "[::1]:80", minor: 1, length: -1, fields: 1},
		{head: "GET / HTTP/1.0\r\nHost: a_b.c-d.\r\nConnection: Keep-Alive\r\n\r\n", method: "GET", target: "/", host: "a_b.c-d.", length: -1, keeps: true, fields: 2},
		{head: "!#$%&'*+-.^_`|~ / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~: x\r\n\r\n", method: "!#$%&'*+-.^_`|~", target: "/", host: "a", minor: 1, length: -1, fields: 2},
		{head: "POST / HTTP/1.1\r\nHost:a\r\nContent-Length:\t 007 \t\r\n\r\nbody", method: "POST", target: "/", host: "a", minor: 1, length: 7, fields: 2, rest: "body"},
		{head: "POST / HTTP/1.1\r\nHost: a\r\ntransfer-ENCODING: chunked\r\nConnection: x , CLOSE,\r\n\r\n0\r\n", method: "POST", target: "/", host: "a", minor: 1, length: -1, chunked: true, closes: true, fields: 3, rest: "0\r\n"},
		{head: "GET / HTTP/1.1\r\nHost: a\r\nX: \xff\xfe a\tb\r\nY:\r\nConnection: closed, keep-alive\r\n\r\n", method: "GET", target: "/", host: "a", minor: 1, length: -1, keeps: true, fields: 4},
		{head: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999999999\r\n\r\n", method: "POST", target: "/", host: "a", minor: 1, length: 999999999999999999, fields: 2},
	} {
		for _, from := range []io.Reader{strings.NewReader(c.head), iotest.OneByteReader(strings.NewReader(c.head)), iotest.DataErrReader(strings.NewReader(c.head))} {
			h, r, err := readRequest(from)
			if err != nil {
				t.Errorf("%q: %v", c.head, err)
				continue
			}
			rest, _ := io.ReadAll(r)
			if string(h.Method) != c.method || string(h.Target) != c.target || string(h.Host) != c.host || h.Minor != c.minor ||
				h.Length != c.length || h.Chunked != c.chunked || h.Close != c.closes || h.KeepAlive != c.keeps || len(h.Fields) != c.fields || string(rest) != c.rest {
				t.Errorf("%q: got %+v, rest %q", c.head, h, rest)
			}
		}
	}
}

// The ends of a connection are distinguished: between two heads, and inside one.
func TestEnds(t *testing.T) {
	for head, want := range map[string]error{"": io.EOF, "G": io.ErrUnexpectedEOF, "GET / HTTP/1.1\r\nHost: a\r\n": io.ErrUnexpectedEOF} {
		if _, _, err := readRequest(strings.NewReader(head)); err != want {
			t.Errorf("%q: %v, want %v", head, err, want)
		}
	}
	broken := errors.New("broken")
	if _, _, err := readAnswer(io.MultiReader(strings.NewReader("HTTP/1.1 "), iotest.ErrReader(broken))); err != broken {
		t.Error(err)
	}
	if _, _, err := readAnswer(stuck{}); err != io.ErrNoProgress {
		t.Error(err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// A head is bounded in bytes, to the byte, and in fields; and not more than that is
// read or held.
func TestTooLarge(t *testing.T) {
	const frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
	exact := strings.Replace(frame, "X: ", "X: "+strings.Repeat("x", limit-len(frame)), 1)
	if _, _, err := readRequest(strings.NewReader(exact)); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	for name, head := range map[string]string{
		"one more":        strings.Replace(exact, "X: ", "X: x", 1),
		"much more":       strings.Replace(exact, "X: ", "X: "+strings.Repeat("x", 1<<20), 1),
		"a long target":   "GET /" + strings.Repeat("x", limit) + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"a long method":   strings.Repeat("x", limit+1),
		"too many fields": "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X:y\r\n", 300) + "\r\n",
	} {
		for _, from := range []io.Reader{strings.NewReader(head), iotest.OneByteReader(strings.NewReader(head))} {
			counted := &counter{r: from}
			if _, _, err := readRequest(counted); !errors.Is(err, http1.ErrTooLarge) || errors.Is(err, http1.ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
			if counted.n > limit+4096 {
				t.Errorf("%s: %d bytes read", name, counted.n)
			}
		}
	}
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// Heads that follow one another are read one by one, each as its own.
func TestPipelined(t *testing.T) {
	var all strings.Builder
	for i := range 500 {
		fmt.Fprintf(&all, "GET /%d HTTP/1.1\r\nHost: a\r\nX: %s\r\n\r\n", i, strings.Repeat("x", i*7%3000))
	}
	var h http1.Head
	var r http1.Reader
	r.Reset(strings.NewReader(all.String()))
	for i := range 500 {
		if err := h.ReadRequest(&r, limit); err != nil || string(h.Target) != fmt.Sprintf("/%d", i) {
			t.Fatalf("%d: %s, %v", i, h.Target, err)
		}
		r.Release()
	}
	if err := h.ReadRequest(&r, limit); err != io.EOF {
		t.Error(err)
	}
}
