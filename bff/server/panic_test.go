package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/server"
)

// broken are pages whose reading is a fault of the program.
type broken struct{}

func (broken) Open(name string) (fs.File, error) { panic("fault at " + name + " with " + tokenMark) }

// TestPanic: a fault of the program is answered 500 with a fixed text, ends its
// connection, is logged once with the place and without what it says, and concerns
// nobody else.
func TestPanic(t *testing.T) {
	h := open(t, settings{pages: map[string]*server.Pages{"shop": {Files: broken{}}}})
	cookie := h.signIn("ada@x.test")
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 25 {
				if got := h.call("GET /api/items", cookie, sameOrign); got.StatusCode != 200 || !strings.Contains(got.body, "/api/items") {
					t.Errorf("another call: %d %s", got.StatusCode, got.body)
				}
			}
		})
	}
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(c, "GET /marked-page HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\nSec-Fetch-Site: same-origin\r\n\r\n"+
		"GET /api/second HTTP/1.1\r\nHost: shop.example.com\r\n"+cookie+"\r\nSec-Fetch-Site: same-origin\r\n\r\n")
	in := bufio.NewReader(c)
	first, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(first.Body)
	h.want(answer{first, string(text)}, 500, "internal")
	if !first.Close || strings.Contains(string(text), "marked") || strings.Contains(string(text), tokenMark) {
		t.Errorf("answer: %v\n%s", first.Header, text)
	}
	if rest, _ := io.ReadAll(in); len(rest) > 0 {
		t.Errorf("the connection went on: %.100q", rest)
	}
	work.Wait()
	faults := 0
	for line := range strings.Lines(h.logs.String()) {
		if strings.Contains(line, tokenMark) || strings.Contains(line, "fault at") {
			t.Errorf("the log repeats the fault's text: %s", line)
		}
		var l struct{ Level, Stack string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Stack != "" {
			if faults++; l.Level != "ERROR" || !strings.Contains(l.Stack, "panic_test.go") {
				t.Errorf("log: %s", line)
			}
		}
	}
	if faults != 1 {
		t.Errorf("%d lines of the fault\n%s", faults, fmt.Sprint(h.logs))
	}
}
