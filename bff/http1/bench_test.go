package http1

import (
	"strings"
	"testing"
)

// BenchmarkReadRequest: what the strict parser costs for a request as a browser sends it.
func BenchmarkReadRequest(b *testing.B) {
	request := "GET /api/orders/2011?page=7 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n" +
		"Accept: application/json\r\nAccept-Language: en\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nReferer: https://www.example.com/\r\n" +
		"X-CSRF: 1\r\nConnection: keep-alive\r\nCookie: __Host-Http-www=" + strings.Repeat("a", 43) + "\r\nSec-Fetch-Dest: empty\r\n" +
		"Sec-Fetch-Mode: cors\r\nSec-Fetch-Site: same-origin\r\nPriority: u=4\r\n\r\n"
	in := strings.NewReader(request)
	var r Reader
	var h Head
	r.Reset(in)
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	for b.Loop() {
		in.Reset(request)
		if err := h.ReadRequest(&r, 16<<10); err != nil {
			b.Fatal(err)
		}
		r.Release()
	}
}
