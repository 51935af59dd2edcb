package rig

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Raw sends bytes as they are along a connection of its own, and reads one answer with
// its body. isHead: the answer has no body whatever its head says.
func Raw(t testing.TB, address, request string, isHead bool) (*http.Response, string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, request); err != nil {
		t.Logf("write: %v", err)
	}
	method := "GET"
	if isHead {
		method = "HEAD"
	}
	got, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("no answer to %.80q: %v", request, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("answer to %.80q broke off: %v", request, err)
	}
	return got, string(body)
}

// Cookie is the one cookie that an answer sets, as "name=value".
func Cookie(t testing.TB, answer *http.Response) string {
	t.Helper()
	set := answer.Header["Set-Cookie"]
	if len(set) != 1 {
		t.Fatalf("Set-Cookie: %q", set)
	}
	pair, _, _ := strings.Cut(set[0], ";")
	return pair
}
