package server_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// mark stands in every malformed request; an answer that holds it repeats requests.
const mark = "MaRk7f3"

// malformed are requests that must be refused as a whole, by what is wrong with them.
// What stands for %s is a line with the mark, so that an echo is seen.
func malformed() map[string][]string {
	line := func(lines ...string) (all []string) { // start lines
		for _, l := range lines {
			all = append(all, l+"\r\nHost: shop.example.com\r\nX-Mark: "+mark+"\r\n\r\n")
		}
		return all
	}
	with := func(lines ...string) (all []string) { // one line in an otherwise good head
		for _, l := range lines {
			all = append(all, "GET /open/"+mark+" HTTP/1.1\r\nHost: shop.example.com\r\n"+l+"\r\nX-Mark: "+mark+"\r\n\r\n")
		}
		return all
	}
	host := func(lines ...string) (all []string) {
		for _, l := range lines {
			all = append(all, "GET /open/"+mark+" HTTP/1.1\r\n"+l+"X-Mark: "+mark+"\r\n\r\n")
		}
		return all
	}
	body := func(bodies ...string) (all []string) { // chunked bodies
		for _, b := range bodies {
			all = append(all, "POST /hook/"+mark+" HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+b)
		}
		return all
	}
	framed := func(lines ...string) (all []string) { // framings, with a second request behind
		for _, l := range lines {
			all = append(all, "POST /hook/"+mark+" HTTP/1.1\r\nHost: shop.example.com\r\nContent-Type: application/json\r\n"+l+
				"\r\n\r\n0\r\n\r\nGET /open/smuggled-"+mark+" HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
		}
		return all
	}
	target := func(targets ...string) (all []string) {
		for _, s := range targets {
			all = append(all, "GET "+s+" HTTP/1.1\r\nHost: shop.example.com\r\nConnection: close\r\nX-Mark: "+mark+"\r\n\r\n")
		}
		return all
	}
	return map[string][]string{
		"request line": line("GET", "GET /", "GET  /open/x HTTP/1.1", "GET /open/x  HTTP/1.1", "GET /open/x HTTP/1.1 ", " GET /open/x HTTP/1.1", "GET\t/open/x\tHTTP/1.1",
			"GET /open/x y HTTP/1.1", "GET HTTP/1.1", "HTTP/1.1 200 OK", "", "\x16\x03\x01\x02\x00", "G\x00T /open/x HTTP/1.1", "G(T /open/x HTTP/1.1", "GET /open/x HTTP/1.1\r",
			"\"GET\" /open/x HTTP/1.1", ": /open/x HTTP/1.1", "GET: /open/x HTTP/1.1", "GÉT /open/x HTTP/1.1", "GET/open/x HTTP/1.1"),
		"method": line("CONNECT shop.example.com:443 HTTP/1.1", "CONNECT /open/x HTTP/1.1", "TRACE /open/x HTTP/1.1", "TRACK /open/x HTTP/1.1", "get /open/x HTTP/1.1", "Get /open/x HTTP/1.1",
			"PROPFIND /open/x HTTP/1.1", "MOVE /open/x HTTP/1.1", "DEBUG /open/x HTTP/1.1", "PRI * HTTP/1.1", "GETX /open/x HTTP/1.1", "SEARCH /open/x HTTP/1.1", "QUERY /open/x HTTP/1.1"),
		"version": line("GET /open/x HTTP/0.9", "GET /open/x HTTP/1.2", "GET /open/x HTTP/2", "GET /open/x HTTP/2.0", "GET /open/x HTTP/3.0", "GET /open/x HTTP/9.9", "GET /open/x HTTP/1",
			"GET /open/x HTTP/1.", "GET /open/x HTTP/1.10", "GET /open/x HTTP/01.1", "GET /open/x http/1.1", "GET /open/x ICE/1.0", "GET /open/x HTTPS/1.1", "GET /open/x HTTP/+1.1", "PRI * HTTP/2.0"),
		"host": host("", "Host:\r\n", "Host: \r\n", "Host: shop.example.com\r\nHost: shop.example.com\r\n", "Host: shop.example.com\r\nHost: evil.example\r\n", "Host: shop.example.com, evil.example\r\n",
			"Host: user@shop.example.com\r\n", "Host: shop.example.com:x\r\n", "Host: shop.example.com:123456\r\n", "Host: shop.example.com:80:80\r\n", "Host: shop.example.com/open\r\n", "Host: shop example.com\r\n",
			"Host: \xff\r\n", "Host: [::1\r\n", "Host: ::1\r\n", "Host: [::1]x\r\n", "Host: shop.example.com?x\r\n", "Host: shop.example.com#x\r\n", "Host: http://shop.example.com\r\n", "Host: a\\b\r\n",
			"Host : shop.example.com\r\n", "Host: shop.example.com\x00\r\n", "Host: shop.exa%6dple.com\r\n", "hOST: a\r\nHost: shop.example.com\r\n"),
		"field name": with(" X: y", "X : y", "X\t: y", "X Y: z", "Transfer- Encoding: chunked", "Authori zation: x", ": y", "X", "X\x00: y", "X\x01: y", "X\x7f: y", "X\x80: y", "Xé: y", "X(: y", "X,: y",
			"X/: y", "X;: y", "X=: y", "X@: y", "X[: y", "X\\: y", "X{: y", "X\": y", "\rX: y", "Content-Length : 0", "Transfer-Encoding : chunked", "Cookie\x00: a=b"),
		"field value": with("X: a\x00b", "X: a\x01b", "X: a\x08b", "X: a\vb", "X: a\fb", "X: a\x1bb", "X: a\x7fb", "X: a\rb", "X: a\nb", "Cookie: a=\x01", "X: \x00"),
		"lines": {"GET /open/" + mark + " HTTP/1.1\nHost: shop.example.com\n\n", "GET /open/" + mark + " HTTP/1.1\r\nHost: shop.example.com\n\r\n", "GET /open/" + mark + " HTTP/1.1\nHost: shop.example.com\r\n\r\n",
			"\n\nGET /open/" + mark + " HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "\r\n\r\nGET /open/" + mark + " HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "GET /open/" + mark + " HTTP/1.1\rHost: shop.example.com\r\r"},
		"folding": with("X: a\r\n b", "X: a\r\n\tb", "Transfer-Encoding:\r\n chunked", "Content-Length:\r\n 1", "Cookie: a\r\n ; b=c", "X:\r\n \r\n y"),
		"framing": framed("Content-Length: 1\r\nContent-Length: 2", "Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1, 1", "Content-Length: 5\r\nTransfer-Encoding: chunked",
			"Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: +5", "Content-Length: -5", "Content-Length: 0x5", "Content-Length: 5.0", "Content-Length: 5 5", "Content-Length: 5_0", "Content-Length:",
			"Content-Length: 99999999999999999999", "Content-Length: 18446744073709551617", "Content-Length: five", "Transfer-Encoding: gzip", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked",
			"Transfer-Encoding: chunked, gzip", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
			"Transfer-Encoding: xchunked", "Transfer-Encoding: ,chunked", "Transfer-Encoding: chunked,", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding:",
			"Transfer-Encoding: \vchunked", "Transfer-Encoding: chu nked", "Transfer-Encoding:\x0bchunked"),
		"old framing": {"POST /hook/" + mark + " HTTP/1.0\r\nHost: shop.example.com\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		"expectation": with("Expect: 100-continue, x", "Expect: 101-continue", "Expect: x", "Expect: 100-continue\r\nExpect: 100-continue"),
		"chunks": body("x\r\n", "\r\n", "-1\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "5\r\nhelloX\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n",
			" 5\r\nhello\r\n0\r\n\r\n", "5;\x00\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "5_0\r\nhello\r\n0\r\n\r\n", "ffffffffffffffff\r\nhello", "1ffffffffffffffff\r\nhello", "5\r\r\nhello\r\n0\r\n\r\n",
			"5\r\nhello\r\n0\r\nX : y\r\n\r\n", "5\r\nhello\r\n0\r\n X: y\r\n\r\n", "5\r\nhello\r\n0\r\nX\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\x00\r\n\r\n", "5\r\nhello\r\n0\r\nX: a\n\r\n", "5;"+strings.Repeat("a", 5000)+"\r\nhello\r\n0\r\n\r\n"),
		"target": append(target("/open/\x00", "/open/\x7f", "/open/\x80", "/open/é", "/open/a\tb"),
			target("open/x", "http://shop.example.com/open/x", "//shop.example.com/open/x", "*", "shop.example.com:443", "/open/../x", "/open/./x", "/open/..", "/open/%2e%2e/x", "/open/%2E/x", "/open/.%2e/x", "/open/..;/x", "/open/..;a=b/x",
				"/open/x#y", "/open/%", "/open/%2", "/open/%zz", "/open/%00", "/open/%0a", "/open/%0d%0aX:y", "/open/%1f", "/open/%7f", "/open/%2fx", "/open/%2Fx", "/open/%5cx", "/open/a\\b", "//open/x")...),
		"too long": {"GET /open/" + strings.Repeat(mark, 4000) + " HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", "GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\nX: " + strings.Repeat(mark, 4000) + "\r\n\r\n",
			"GET /open/x HTTP/1.1\r\nHost: shop.example.com\r\n" + strings.Repeat("X: "+mark+"\r\n", 2000) + "\r\n"},
	}
}

// TestMalformed: through the whole server each is refused, the connection ends behind
// the answer, nothing of it is repeated, and the API takes no call: of a body with broken chunks it
// may see a beginning, and never an end.
func TestMalformed(t *testing.T) {
	h := open(t, settings{})
	total := 0
	for kind, requests := range malformed() {
		for _, request := range requests {
			total++
			before := h.api.Count()
			got := h.refusal(request)
			status := 0
			_, _ = fmt.Sscanf(got, "HTTP/1.1 %d ", &status)
			if status < 400 || status > 431 || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "\r\nConnection: close\r\n") {
				t.Errorf("%s: %.200q was answered %.300q", kind, request, got)
			}
			if strings.Contains(got, mark) || strings.Contains(got, "smuggled") {
				t.Errorf("%s: %.200q is repeated in %.300q", kind, request, got)
			}
			if h.api.Count() != before {
				t.Errorf("%s: %.200q reached the API", kind, request)
			}
		}
	}
	if total < 150 {
		t.Errorf("only %d requests", total)
	}
	if logs := h.logs.String(); strings.Contains(logs, "smuggled") {
		t.Errorf("a second request came in: %s", logs)
	}
	h.want(h.call("GET /open/x"), 200, "") // and the process lives
}

// refusal sends bytes and reads until the connection ends, which it must. Only behind a head
// that never ends is the sending half closed: a browser that has closed it counts as gone
// after a moment, and may miss its answer.
func (h *house) refusal(request string) string {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, request)
	if !strings.Contains(request, "\n") {
		_ = c.(*net.TCPConn).CloseWrite()
	}
	b, err := io.ReadAll(c)
	if err != nil {
		h.t.Errorf("%.100q: %v", request, err)
	}
	return string(b)
}
