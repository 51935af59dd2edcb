package http1_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"coatcheck/bff/http1"
)

// chunks reads a chunked body from a text that ends behind it.
func chunks(from io.Reader) (*http1.Chunks, *http1.Reader) {
	var c http1.Chunks
	var r http1.Reader
	r.Reset(from)
	c.Reset(&r)
	return &c, &r
}

func trailersOf(c *http1.Chunks) string {
	var b strings.Builder
	for _, f := range c.Trailers() {
		fmt.Fprintf(&b, "%s=%s;", f.Name, f.Value)
	}
	return b.String()
}

func TestChunks(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<12)
	for _, c := range []struct{ text, body, trailers, rest string }{
		{"0\r\n\r\n", "", "", ""},
		{"5\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
		{"5\r\nhello\r\n6\r\n world\r\n000\r\n\r\nrest", "hello world", "", "rest"},
		{"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", "", ""},
		{"10000\r\n" + large + "\r\n0\r\n\r\n", large, "", ""},
		{"5;a\r\nhello\r\n0;b=\"c d\"\r\n\r\n", "hello", "", ""},
		{"5 ;a=b\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
		{"5\t;\ta \t=\t b ; c\r\nhello\r\n0 ;d\r\n\r\n", "hello", "", ""},
		{"5;a=\"b;\\\"=c\\\\\";d=\"\"\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
		{"5;a=\"\xc3\xa9 \t\"\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
		{"1\r\nx\r\n0\r\nA: b\r\nc:\t d \r\n\r\nrest", "x", "A=b;c=d;", "rest"},
		{"9\r\n0\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "0\r\n\r\n0\r\n\r", "", ""},
		{"000000000000005\r\nhello\r\n0\r\n\r\n", "hello", "", ""},
	} {
		for name, from := range map[string]io.Reader{"at once": strings.NewReader(c.text), "by byte": iotest.OneByteReader(strings.NewReader(c.text))} {
			body, r := chunks(from)
			got, err := io.ReadAll(body)
			if err != nil || string(got) != c.body || !body.Done() || trailersOf(body) != c.trailers {
				t.Errorf("%.60q %s: %.60q, %q, %v", c.text, name, got, trailersOf(body), err)
			}
			if rest, _ := io.ReadAll(r); string(rest) != c.rest {
				t.Errorf("%.60q %s: rest %q", c.text, name, rest)
			}
		}
	}
}

// What is not well-formed, or breaks off, never ends as a body does, however often
// it is read on.
func TestBrokenChunks(t *testing.T) {
	for text, want := range map[string]error{
		"": io.ErrUnexpectedEOF, "5": io.ErrUnexpectedEOF, "5\r\n": io.ErrUnexpectedEOF, "5\r\nhel": io.ErrUnexpectedEOF, "5\r\nhello": io.ErrUnexpectedEOF,
		"5\r\nhello\r\n": io.ErrUnexpectedEOF, "5\r\nhello\r\n0\r\n": io.ErrUnexpectedEOF, "0\r\nA: b\r\n": io.ErrUnexpectedEOF, "0": io.ErrUnexpectedEOF,
		"\r\n0\r\n\r\n": http1.ErrMalformed, "x\r\n0\r\n\r\n": http1.ErrMalformed, "-1\r\n0\r\n\r\n": http1.ErrMalformed, "+1\r\nx\r\n0\r\n\r\n": http1.ErrMalformed,
		"0x1\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, "0_1\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, " 1\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1 \r\nx\r\n0\r\n\r\n": http1.ErrMalformed,
		"1\t\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1 x\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1;\x00\r\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1;a\rb\r\nx\r\n0\r\n\r\n": http1.ErrMalformed,
		"1\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1;a\nx\r\n0\r\n\r\n": http1.ErrMalformed, "1\r\nx\n0\r\n\r\n": http1.ErrMalformed, "1\r\nxy\r\n0\r\n\r\n": http1.ErrMalformed,
		"1\r\nx\r\r\n0\r\n\r\n": http1.ErrMalformed, "1\r\nx0\r\n\r\n": http1.ErrMalformed, "1\r\nx\r\nzz\r\n0\r\n\r\n": http1.ErrMalformed, "0\n\r\n": http1.ErrMalformed, "0\r\n\n": http1.ErrMalformed,
		"0\r\nA b\r\n\r\n": http1.ErrMalformed, "0\r\nA : b\r\n\r\n": http1.ErrMalformed, "0\r\n A: b\r\n\r\n": http1.ErrMalformed, "0\r\nA: b\r\n c\r\n\r\n": http1.ErrMalformed,
		"0\r\nA: \x00\r\n\r\n": http1.ErrMalformed, "0\r\nA: b\nC: d\r\n\r\n": http1.ErrMalformed, "0\r\n: b\r\n\r\n": http1.ErrMalformed,
		"ffffffffffffffff\r\nx": http1.ErrMalformed, "10000000000000001\r\nx": http1.ErrMalformed, "0000000000000001\r\nx\r\n0\r\n\r\n": http1.ErrMalformed,
		"1;" + strings.Repeat("x", 300) + "\r\nx\r\n0\r\n\r\n":                       http1.ErrMalformed,
		"0\r\n" + strings.Repeat("A: "+strings.Repeat("b", 1000)+"\r\n", 9) + "\r\n": http1.ErrMalformed,
		"0\r\n" + strings.Repeat("A:b\r\n", 300) + "\r\n":                            http1.ErrMalformed,
		"0\r\nA: " + strings.Repeat("b", 5000) + "\r\n\r\n":                          http1.ErrMalformed,
	} {
		for name, from := range map[string]io.Reader{"at once": strings.NewReader(text), "by byte": iotest.OneByteReader(strings.NewReader(text))} {
			body, _ := chunks(from)
			_, err := io.ReadAll(body)
			if !errors.Is(err, want) || body.Done() {
				t.Errorf("%.60q %s: %v, want %v", text, name, err, want)
			}
			for range 5 {
				if n, again := body.Read(make([]byte, 64)); n != 0 || again == nil || again == io.EOF || body.Poll() {
					t.Errorf("%.60q %s: read on after %v: %d, %v", text, name, err, n, again)
				}
			}
		}
	}
}

// Chunk extensions are well-formed (RFC 9112 §7.1.1), or the chunk is not.
func TestChunkExtensions(t *testing.T) {
	for _, bad := range []string{";", ";;", "; ", ";=b", ";=", ";[", ";a=", ";a= ", ";a=[", ";a==b", ";a=b=c", ";a b", ";a=b c", ";a;", ";a=b;", ";a ", ";a=b ", ";a=\"b", ";a=\"b\\",
		";a=\"b\\\"", ";a=\"b\"c", ";\"a\"", ";\"a\"=b", ";a=\"\x01\"", ";a=\"\\\x01\"", ";a=\"\x7f\"", ";a\x01", ";\x01", ";a=\x7f", ";\xc3\xa9", ";a=\xc3\xa9", ";a,b", ";a/b", " ", " a", ",a", "=a", "\v;a", ";\va", ";a\r"} {
		for _, line := range []string{"5" + bad, "0" + bad} {
			body, r := chunks(strings.NewReader(line + "\r\nhello\r\n0\r\n\r\n"))
			_ = r.Fill(100)
			if body.Whole() {
				t.Errorf("%q is whole", line)
			}
			if _, err := io.ReadAll(body); !errors.Is(err, http1.ErrMalformed) {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
}

// Poll completes a body whose end is here, waits for nothing, and forgives nothing.
func TestPoll(t *testing.T) {
	for _, c := range []struct {
		text string // behind five bytes that were read
		done bool
	}{
		{"\r\n0\r\n\r\n", true}, {"\r\n0\r\nA: b\r\n\r\n", false}, {"\r\n0\r\n", false}, {"", false}, {"\r\n", false},
		{"\r\n5\r\nhello\r\n0\r\n\r\n", false}, {"\r\nzz\r\n0\r\n\r\n", false}, {"\n0\r\n\r\n", false},
	} {
		body, _ := chunks(io.MultiReader(strings.NewReader("5\r\nhello"+c.text), iotest.ErrReader(errors.New("waited"))))
		if _, err := io.ReadFull(body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		if body.Poll() != c.done {
			t.Errorf("%q: done %v, want %v", c.text, !c.done, c.done)
		}
		if rest, err := io.ReadAll(body); c.text == "\r\nzz\r\n0\r\n\r\n" && (len(rest) > 0 || !errors.Is(err, http1.ErrMalformed)) {
			t.Errorf("%q: forgiven: %q, %v", c.text, rest, err)
		}
	}
}

// Whole says whether the rest can be read without waiting, and takes nothing.
func TestWhole(t *testing.T) {
	const text = "5;x\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n"
	for cut := range len(text) + 1 {
		body, r := chunks(io.MultiReader(strings.NewReader(text[:cut]), iotest.ErrReader(errors.New("waited"))))
		_ = r.Fill(len(text))
		if whole := body.Whole(); whole != (cut == len(text)) {
			t.Errorf("cut at %d: %v", cut, whole)
		}
		if r.Len() != cut {
			t.Errorf("cut at %d: %d bytes left", cut, r.Len())
		}
	}
	for _, text := range []string{"x\r\n0\r\n\r\n", "5\r\nhello\r\nx\r\n\r\n", "5\nhello\r\n0\r\n\r\n"} {
		body, r := chunks(strings.NewReader(text))
		_ = r.Fill(100)
		if body.Whole() {
			t.Errorf("%q is whole", text)
		}
	}
}

// A chunked body is read again from the beginning after Reset, with nothing left of
// the last one.
func TestChunksAgain(t *testing.T) {
	var c http1.Chunks
	var r http1.Reader
	for _, text := range []string{"1\r\nx\r\n0\r\nA: b\r\n\r\n", "zz\r\n", "1\r\nx", "0\r\n\r\n"} {
		r.Reset(strings.NewReader(text))
		c.Reset(&r)
		if c.Done() || len(c.Trailers()) > 0 {
			t.Errorf("%q: something is left", text)
		}
		_, _ = io.ReadAll(&c)
	}
	if !c.Done() {
		t.Error("not done")
	}
}

// A chunk that Chunk makes is read as what was put in, whatever its size.
func TestChunkIsRead(t *testing.T) {
	for _, n := range []int{1, 15, 16, 255, 256, 4095, 4096, 65_535} {
		page := make([]byte, http1.BeforeChunk+n+http1.BehindChunk)
		for i := range n {
			page[http1.BeforeChunk+i] = byte(i)
		}
		want := bytes.Clone(page[http1.BeforeChunk : http1.BeforeChunk+n])
		var in http1.Reader
		in.Reset(io.MultiReader(bytes.NewReader(http1.Chunk(page, n)), strings.NewReader("0\r\n\r\n")))
		var chunks http1.Chunks
		chunks.Reset(&in)
		if got, err := io.ReadAll(&chunks); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d came, %v", n, len(got), err)
		}
	}
}
