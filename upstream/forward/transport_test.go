package forward_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// TestBreaker: an API that is down is left alone, and found again.
func TestBreaker(t *testing.T) {
	address := "127.0.0.1:" + freeport.Text(t)
	changes := make(chan bool, 4)
	c, err := forward.NewTransport(forward.Options{Dialer: dialTo(&url.URL{Scheme: "http", Host: address})}, func(open bool) { changes <- open })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func() error {
		call, ans := &forward.Call{Head: []byte("GET / HTTP/1.1\r\nHost: x\r\n"), Idempotent: true}, &forward.Response{}
		err := c.Do(call, ans)
		if err == nil {
			_ = ans.Close()
		}
		return err
	}
	var begun time.Time
	for range 10 {
		begun = time.Now()
		if err := ask(); !errors.Is(err, upstream.ErrUnreachable) {
			t.Fatalf("before: %v", err)
		}
	}
	refused(t, begun, ask)
	if !<-changes {
		t.Fatal("it is not told")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // ends with the listener
		for {
			peer, err := l.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				defer peer.Close()
				if _, err := peer.Read(make([]byte, 512)); err == nil {
					_, _ = io.WriteString(peer, "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				}
			}()
		}
	}()
	eventually(t, "the API is found again", func() bool { return ask() == nil })
	if <-changes {
		t.Error("it opened once more")
	}
	for range 20 {
		if err := ask(); err != nil {
			t.Errorf("a 500 is an answer: %v", err)
		}
	}
}
