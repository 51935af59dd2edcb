package demo_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

func TestEventsCount(t *testing.T) {
	api := start(t, demo.Options{})
	got := api.get("/api/events?every=20&count=3", api.signIn("ada@shop.example").text("access_token"))
	if ct := got.header.Get("Content-Type"); ct != "text/event-stream" {
		t.Errorf("Content-Type %q", ct)
	}
	if n := strings.Count(string(got.body), "event: tick\n"); n != 3 || !strings.HasSuffix(string(got.body), "\n\n") {
		t.Errorf("%d events in %q", n, got.body)
	}
}

func TestEventsArriveOneByOne(t *testing.T) {
	api := start(t, demo.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", api.url+"/api/events?every=60000", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+api.signIn("ada@shop.example").text("access_token"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	// The second event is a minute away: reading the first proves that it was sent alone.
	line, err := bufio.NewReader(res.Body).ReadString('\n')
	if err != nil || line != "id: 1\n" {
		t.Errorf("%q, %v", line, err)
	}
}

func TestServeEndsWithOpenStream(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- demo.Serve(ctx, ln, demo.Options{}) }()
	api := running{t, "http://" + ln.Addr().String()}
	req, err := http.NewRequest("GET", api.url+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+api.signIn("ada@shop.example").text("access_token"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("Serve did not end")
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}
