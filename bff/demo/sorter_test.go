package demo

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/terminal"
)

// sayAt makes one request over a connection of its own; the head comes in as many
// pieces as there are.
func sayAt(t *testing.T, address string, pieces ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	for _, piece := range pieces {
		if _, err := io.WriteString(c, piece); err != nil {
			t.Fatal(err)
		}
	}
	answer, _ := io.ReadAll(c)
	return string(answer)
}

func answering(name string) *http.Server {
	return &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(w, "%s got %s", name, body)
	})}
}

// TestSorter: the attacker's and the provider's host get in by the side, everything else untouched by
// the front, and nothing that a head says elsewhere than in Host counts.
func TestSorter(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := newSorter(inner, evilHost+":8080", porterHost+":8080")
	front, side, third := answering("front"), answering("side"), answering("third")
	go func() { _ = front.Serve(d) }()          // ends with the door
	go func() { _ = side.Serve(d.sides[0]) }()  // ends with the door
	go func() { _ = third.Serve(d.sides[1]) }() // ends with the door
	t.Cleanup(func() { _ = front.Close(); _ = side.Close(); _ = third.Close(); _ = d.Close() })
	rest := "\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"
	tests := []struct{ name, head, want string }{
		{"attacker", "POST / HTTP/1.1\r\nHost: evil.coatcheck.localhost:8080" + rest, "side got body"},
		{"attacker in capitals", "POST / HTTP/1.1\r\nHOST: Evil.Coatcheck.Localhost:8080" + rest, "side got body"},
		{"provider", "POST / HTTP/1.1\r\nHost: id.porter.localhost:8080" + rest, "third got body"},
		{"shop", "POST / HTTP/1.1\r\nHost: shop.coatcheck.localhost:8080" + rest, "front got body"},
		{"attacker as Origin", "POST / HTTP/1.1\r\nHost: shop.coatcheck.localhost:8080\r\nOrigin: http://evil.coatcheck.localhost:8080" + rest, "front got body"},
		{"another port", "POST / HTTP/1.1\r\nHost: evil.coatcheck.localhost:80" + rest, "front got body"},
	}
	for _, tt := range tests {
		if got := sayAt(t, inner.Addr().String(), tt.head); !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := sayAt(t, inner.Addr().String(), "POST / HTTP", "/1.1\r\nHost: shop.coatcheck.localhost:8080"+rest); !strings.HasSuffix(got, "front got body") {
		t.Errorf("in pieces: %q", got)
	}
	_ = d.Close()
	if _, err := d.Accept(); err == nil {
		t.Error("a closed door lets somebody in")
	}
}

const calledLine = `{"time":"2026-01-02T03:04:05Z","level":"INFO","msg":"call","method":"GET","path":"/api/me","status":%d,"duration_ms":1.5,"frontend":"shop","code":%q}` + "\n"

// TestCallLog: the log goes on as it came, and the calls in it can be looked up.
func TestCallLog(t *testing.T) {
	var out bytes.Buffer
	l := &callLog{out: &out}
	text := fmt.Sprintf(calledLine, 403, "origin_not_allowed") + "{\"msg\":\"draining\"}\nno JSON\n"
	if n, err := l.Write([]byte(text)); n != len(text) || err != nil || out.String() != text {
		t.Errorf("%d %v %q", n, err, &out)
	}
	if lines, last := l.since(0); last != 1 || len(lines) != 1 || lines[0].Status != 403 || lines[0].Code != "origin_not_allowed" {
		t.Errorf("%+v %d", lines, last)
	}
	for range keptCalls + 10 {
		_, _ = l.Write([]byte(fmt.Sprintf(calledLine, 200, "")))
	}
	if lines, last := l.since(0); len(lines) != keptCalls || last != keptCalls+11 || lines[0].N != 12 {
		t.Errorf("%d lines, the last is %d, the first %d", len(lines), last, lines[0].N)
	}
	if lines, _ := l.since(keptCalls + 11); len(lines) != 0 {
		t.Errorf("after the last: %+v", lines)
	}
}

// TestCallLogOnATerminal: people get a line they can read, with colours or without.
func TestCallLogOnATerminal(t *testing.T) {
	var out bytes.Buffer
	l := &callLog{out: &out, paint: &terminal.Paint{}}
	text := fmt.Sprintf(calledLine, 403, "origin_not_allowed") + `{"level":"INFO","msg":"draining"}` + "\n"
	if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
		t.Error(n, err)
	}
	if want := "  03:04:05  shop     GET    /api/me                      403  origin_not_allowed\n"; out.String() != want {
		t.Errorf("%q", &out)
	}
	l.paint.Colours = true
	_, _ = l.Write([]byte(text))
	if !strings.Contains(out.String(), "\x1b[31m403\x1b[0m") {
		t.Errorf("no red in %q", &out)
	}
}
