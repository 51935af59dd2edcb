package upstream_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"coatcheck/upstream"
)

// TestBreaker: an API that is down is left alone, and found again.
func TestBreaker(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	changes := make(chan bool, 4)
	c, err := upstream.NewCarrier(upstream.ForwarderOptions{URL: &url.URL{Scheme: "http", Host: address}}, func(open bool) { changes <- open })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ask := func() error {
		call, ans := &upstream.Call{Head: []byte("GET / HTTP/1.1\r\nHost: x\r\n"), Idempotent: true}, &upstream.Answer{}
		err := c.Do(call, ans)
		if err == nil {
			_ = ans.Close()
		}
		return err
	}
	for range 10 {
		if err := ask(); !errors.Is(err, upstream.ErrUnreachable) {
			t.Fatalf("before: %v", err)
		}
	}
	if err := ask(); !errors.Is(err, upstream.ErrOpen) || !<-changes {
		t.Fatalf("tenth failure in a row: %v", err)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatalf("the port was taken by somebody else: %v", err)
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
	end := time.Now().Add(4 * upstream.BreakerRest)
	for err = ask(); err != nil && time.Now().Before(end); err = ask() {
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil || <-changes {
		t.Errorf("the API is back: %v", err)
	}
	for range 20 {
		if err := ask(); err != nil {
			t.Errorf("a 500 is an answer: %v", err)
		}
	}
}
