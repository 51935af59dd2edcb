package http1_test

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"coatcheck/bff/http1"
)

// A head is read strictly: what two readers could take for two things is an error.
func ExampleHead_ReadRequest() {
	for _, text := range []string{
		"GET /orders?page=2 HTTP/1.1\r\nHost: shop.example.com\r\nAccept: a\r\nAccept: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n",
	} {
		var reader http1.Reader
		var head http1.Head
		reader.Reset(strings.NewReader(text))
		if err := head.ReadRequest(&reader, 16<<10); err != nil {
			fmt.Println("malformed:", errors.Is(err, http1.ErrMalformed))
			continue
		}
		accept, lines := head.Get("accept")
		fmt.Printf("%s %s, Accept: %s in %d lines\n", head.Method, head.Target, accept, lines)
	}
	// Output:
	// GET /orders?page=2, Accept: a in 2 lines
	// malformed: true
	// malformed: true
}

// A chunked body is read without its chunks; its trailers are there at the end.
func ExampleChunks() {
	var reader http1.Reader
	var body http1.Chunks
	reader.Reset(strings.NewReader("5\r\nhello\r\n6\r\n world\r\n0\r\nDigest: x\r\n\r\n"))
	body.Reset(&reader)
	text, err := io.ReadAll(&body)
	fmt.Printf("%s, %v\n", text, err)
	for _, f := range body.Trailers() {
		fmt.Printf("%s: %s\n", f.Name, f.Value)
	}
	// Output:
	// hello world, <nil>
	// Digest: x
}
