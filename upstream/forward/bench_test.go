package forward_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"coatcheck/upstream/forward"
)

// BenchmarkForward compares one small GET over loopback with what else could be
// used. The API is a loop over a raw connection, the same for all three.
func BenchmarkForward(b *testing.B) {
	api := smallAPI(b)
	b.Run("forwarder", func(b *testing.B) { benchForwarder(b, api) })
	b.Run("nethttp", func(b *testing.B) { benchTransport(b, api) })
	b.Run("fasthttp", func(b *testing.B) { benchHostClient(b, api) })
}

const benchPath = "/v1/things?page=1"

// smallAPI answers every request, which must have no body, with the same small answer.
func smallAPI(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerAlways(c)
		}
	}()
	return l.Addr().String()
}

func answerAlways(c net.Conn) {
	defer c.Close()
	answer := []byte("HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\n" +
		"Content-Type: application/json\r\nContent-Length: 21\r\nConnection: keep-alive\r\n\r\n" +
		`{"items":[],"page":1}`)
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) == 2 {
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	}
}

func benchForwarder(b *testing.B, api string) {
	f, err := forward.New(forward.Options{Dialer: dialTo(&url.URL{Scheme: "http", Host: api})})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		head := []byte("GET " + benchPath + " HTTP/1.1\r\nHost: api.example.net\r\nAuthorization: Bearer t\r\nAccept: */*\r\n")
		var call forward.Call
		var ans forward.Response
		for pb.Next() {
			call.Reset()
			call.Head, call.Idempotent = head, true
			call.HeaderTimeout, call.IdleTimeout = 30*time.Second, time.Minute
			if err := f.Do(&call, &ans); err != nil || len(ans.Complete) != 21 {
				b.Error(err)
				return
			}
			_ = ans.Close()
			head = call.Head // with the room that it got
		}
	})
}

// BenchmarkReuse is what it costs that kept connections serve one person only: people
// take turns, as each of them would after a moment's pause.
func BenchmarkReuse(b *testing.B) {
	api := smallAPI(b)
	for _, row := range []struct {
		name   string
		only   bool
		people int
	}{{"any", false, 1000}, {"person/1", true, 1}, {"person/16", true, 16}, {"person/250", true, 250}, {"person/1000", true, 1000}} {
		b.Run(row.name, func(b *testing.B) {
			f, err := forward.New(forward.Options{Dialer: dialTo(&url.URL{Scheme: "http", Host: api}), OwnerOnly: row.only})
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			var people []string
			for i := range row.people {
				people = append(people, fmt.Sprintf("a-session-of-some-length-%06d", i))
			}
			var call forward.Call
			var ans forward.Response
			head := []byte("GET " + benchPath + " HTTP/1.1\r\nHost: api.example.net\r\n")
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				call.Reset()
				call.Head, call.Idempotent, call.Owner = head, true, people[i%len(people)]
				if err := f.Do(&call, &ans); err != nil {
					b.Fatal(err)
				}
				_ = ans.Close()
			}
			b.ReportMetric(float64(f.Stats().Dialled)/float64(b.N), "dials/op")
		})
	}
}

func benchTransport(b *testing.B, api string) {
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	defer transport.CloseIdleConnections()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _ := http.NewRequest("GET", "http://"+api+benchPath, nil)
			r.Header.Set("Authorization", "Bearer t")
			answer, err := transport.RoundTrip(r)
			if err != nil {
				b.Error(err)
				return
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			if len(body) != 21 {
				b.Error("short body")
				return
			}
		}
	})
}

func benchHostClient(b *testing.B, api string) {
	client := &fasthttp.HostClient{Addr: api, ReadTimeout: 30 * time.Second, MaxConns: 1024}
	defer client.CloseIdleConnections()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		for pb.Next() {
			req.SetRequestURI("http://" + api + benchPath)
			req.Header.Set("Authorization", "Bearer t")
			if err := client.Do(req, resp); err != nil || !bytes.HasPrefix(resp.Body(), []byte("{")) {
				b.Error(err)
				return
			}
		}
	})
}
