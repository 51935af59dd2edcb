package main

import (
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// TestLibrariesAreMuted: an API that goes on talking behind its answer makes the
// standard library log what it said; no line of ours repeats it.
func TestLibrariesAreMuted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with the listener
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n{\"token\":\"MARKED\"}")
		}
	}()
	p := rig.Serve(t, serveConfig, "STORE=memory://", "API=http://"+l.Addr().String())
	_, port, _ := net.SplitHostPort(p.Address)
	login := "POST /bff/login HTTP/1.1\r\nHost: localhost:" + port + "\r\nX-CSRF: 1\r\nContent-Type: application/json\r\nContent-Length: 28\r\nConnection: close\r\n\r\n" + `{"email":"a","password":"b"}`
	rig.Until(t, "a line of the library", func() bool { // a busy machine may close the connection before the library reads what it logs
		c, err := net.Dial("tcp", p.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, login)
		if answer, _ := io.ReadAll(c); !strings.Contains(string(answer), "upstream_invalid") {
			t.Fatalf("answer: %s", answer)
		}
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if strings.Contains(p.Log.String(), "a library logged something") {
				return true
			}
		}
		return false
	})
	for line := range strings.SplitSeq(strings.TrimSpace(p.Log.String()), "\n") {
		if !json.Valid([]byte(line)) || strings.Contains(line, "MARKED") {
			t.Errorf("line: %s", line)
		}
	}
}
