package http1_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"testing"
	"testing/iotest"

	"coatcheck/bff/http1"
)

// isTakenOut: net/http takes these fields out of a header, or invents them.
func isTakenOut(name string) bool {
	switch name {
	case "Host", "Transfer-Encoding", "Content-Length", "Connection", "Cache-Control":
		return true
	}
	return false
}

// fieldLines are a head's fields as net/http spells them.
func fieldLines(fields []http1.Field) (lines []string) {
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(string(f.Name))
		if !isTakenOut(name) {
			lines = append(lines, name+": "+string(f.Value))
		}
	}
	slices.Sort(lines)
	return lines
}

func headerLines(h http.Header) (lines []string) {
	for name, values := range h {
		for _, v := range values {
			if !isTakenOut(name) {
				lines = append(lines, name+": "+v)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// hasTrailerField: net/http has its own opinion of what may be announced.
func hasTrailerField(h *http1.Head) bool {
	_, n := h.Get("trailer")
	return n > 0
}

// FuzzRequest: what is let in, net/http lets in, and reads the same from it.
func FuzzRequest(f *testing.F) {
	for _, heads := range malformedRequests() {
		for _, head := range heads {
			f.Add([]byte(head))
		}
	}
	f.Add([]byte("POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close, x\r\n\r\nabc"))
	f.Add([]byte("POST /%zz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX:\t\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		h, r, err := readRequest(bytes.NewReader(said))
		if err != nil || hasTrailerField(h) {
			return
		}
		rest, _ := io.ReadAll(r)
		head := bytes.TrimPrefix(said[:len(said)-len(rest)], []byte("\r\n"))
		// The target is only bytes here; net/http wants a URL.
		head = append(bytes.Replace(head, slices.Concat([]byte(" "), h.Target, []byte(" ")), []byte(" / "), 1), rest...)
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(head)))
		if err != nil {
			t.Fatalf("%q: let in, but net/http says %v", said, err)
		}
		length := max(h.Length, 0)
		if h.Chunked {
			length = -1
		}
		if string(h.Method) != want.Method || string(h.Host) != want.Host || h.Minor != want.ProtoMinor || want.ContentLength != length {
			t.Errorf("%q: %s %s HTTP/1.%d length %d, but net/http: %s %s HTTP/1.%d length %d", said,
				h.Method, h.Host, h.Minor, length, want.Method, want.Host, want.ProtoMinor, want.ContentLength)
		}
		if h.Minor == 1 && h.Close != want.Close {
			t.Errorf("%q: close %v, but net/http %v", said, h.Close, want.Close)
		}
		if got := fieldLines(h.Fields); !slices.Equal(got, headerLines(want.Header)) {
			t.Errorf("%q: %q, but net/http %q", said, got, headerLines(want.Header))
		}
	})
}

// FuzzAnswer is the same for answers.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"))
	f.Add([]byte("HTTP/1.0 404\r\nConnection: keep-alive\r\nX-A: \xff\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: a,close\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, said []byte) {
		h, _, err := readAnswer(bytes.NewReader(said))
		if err != nil || hasTrailerField(h) || h.Chunked && h.Minor == 0 {
			return // the last is refused by package upstream, which knows that it is one
		}
		want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(said)), nil)
		if err != nil {
			t.Fatalf("%q: let in, but net/http says %v", said, err)
		}
		if h.Status != want.StatusCode || h.Minor != want.ProtoMinor {
			t.Errorf("%q: %d HTTP/1.%d, but net/http: %d HTTP/1.%d", said, h.Status, h.Minor, want.StatusCode, want.ProtoMinor)
		}
		hasBody := h.Status >= 200 && h.Status != 204 && h.Status != 304
		if hasBody && want.ContentLength != h.Length || h.Chunked && hasBody && len(want.TransferEncoding) != 1 {
			t.Errorf("%q: length %d, but net/http %d", said, h.Length, want.ContentLength)
		}
		if got := fieldLines(h.Fields); !slices.Equal(got, headerLines(want.Header)) {
			t.Errorf("%q: %q, but net/http %q", said, got, headerLines(want.Header))
		}
	})
}

// FuzzChunks: a body that is read to its end is the one net/http reads, with the same
// trailers, and ends at the same byte; Poll makes no difference, Whole keeps its word.
func FuzzChunks(f *testing.F) {
	for _, text := range []string{"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\nrest", "5;a=b\r\nhello\r\n00\r\nA: b\r\nB:\r\n\r\n", "1\r\nx\r\n1\r\ny\r\n0\r\n\r\n", "ffffffffffffffff\r\nx", "1\r\nx\r\nzz\r\n0\r\n\r\n"} {
		f.Add([]byte(text), uint8(3))
	}
	f.Fuzz(func(t *testing.T, said []byte, step uint8) {
		neverWaits(t, said)
		body, r := chunks(bytes.NewReader(said))
		got, err := readSteps(body, int(step)+1)
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(r)
		in := bufio.NewReaderSize(bytes.NewReader(append([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), said...)), 64<<10)
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(answer.Body)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%q: %q, but net/http %q, %v", said, got, want, err)
		}
		if trailers := fieldLines(body.Trailers()); !slices.Equal(trailers, headerLines(answer.Trailer)) {
			t.Errorf("%q: trailers %q, but net/http %q", said, trailers, headerLines(answer.Trailer))
		}
		if left, _ := io.ReadAll(in); !bytes.Equal(left, rest) {
			t.Errorf("%q: %q left, but net/http leaves %q", said, rest, left)
		}
	})
}

// readSteps reads n bytes at a time, asking Poll before each.
func readSteps(body *http1.Chunks, n int) (all []byte, err error) {
	for {
		page := make([]byte, n)
		body.Poll()
		got, err := body.Read(page)
		all = append(all, page[:got]...)
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
	}
}

// neverWaits: where Whole says so, reading ends without another read of the source.
func neverWaits(t *testing.T, said []byte) {
	waited := errors.New("waited")
	body, r := chunks(io.MultiReader(bytes.NewReader(said), iotest.ErrReader(waited)))
	if r.Fill(4096) != nil || !body.Whole() {
		return
	}
	if r.Len() < len(said) {
		body, _ = chunks(io.MultiReader(bytes.NewReader(said[:r.Len()]), iotest.ErrReader(waited)))
	}
	if _, err := io.ReadAll(body); errors.Is(err, waited) {
		t.Errorf("%q was called whole, and yet more was read", said)
	}
}
