package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"coatcheck/bff/rig"
)

// counting is an endless body in which each place has a byte of its own: a piece that is
// lost, doubled or somebody else's shows.
type counting struct{ at, owner int }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte((c.at+c.at>>8+c.at>>16)*7 + c.owner)
		c.at++
	}
	return len(p), nil
}

// differs finds the first byte of r that is not what owner's body has there; -1: none.
func differs(r io.Reader, owner int) (at, size int, err error) {
	want := &counting{owner: owner}
	got, expected := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		n, err := r.Read(got)
		_, _ = want.Read(expected[:n])
		for i := range n {
			if got[i] != expected[i] {
				return size + i, size + n, err
			}
		}
		if size += n; err == io.EOF {
			return -1, size, nil
		}
		if err != nil {
			return -1, size, err
		}
	}
}

// largeAPI gives and takes bodies of [counting]; /gone/KIND/OWNER/SIZE.
func largeAPI(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(r.URL.Path, "/")
	owner, _ := strconv.Atoi(part[3])
	size, _ := strconv.ParseInt(part[4], 10, 64)
	if r.Method == "POST" {
		at, n, err := differs(r.Body, owner)
		fmt.Fprint(w, at, n, err)
		return
	}
	if part[2] != "chunked" {
		w.Header().Set("Content-Length", part[4])
	}
	if part[2] == "broken" {
		size /= 2
	}
	_, _ = io.CopyN(w, &counting{owner: owner}, size)
	if part[2] == "broken" {
		panic(http.ErrAbortHandler)
	}
}

// TestLargeBodiesOfMany: bodies of many people at once arrive as they were sent, over kept
// connections, also beside those that break off or that nobody reads to the end.
func TestLargeBodiesOfMany(t *testing.T) {
	h := transfers{(&house{t: t}).behind("60s", largeAPI)}
	var people sync.WaitGroup
	for owner := range 6 {
		people.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for i, size := range []int{3 << 20, 100 << 10, 300_001, 5 << 20} {
				h.get(client, "length", owner, size, size)
				h.get(client, "chunked", owner, size, size)
				h.send(client, owner, size, i%2 == 0)
				h.get(client, "broken", owner, size, size/2)
				h.leave(owner, size)
			}
		})
	}
	people.Wait()
	if !strings.Contains(h.logs.String(), `"code":"upstream_broken"`) {
		t.Error("no line says that an answer broke off")
	}
}

// transfers are large bodies of many people, up and down, through one house.
type transfers struct{ *house }

func (h transfers) large(client *http.Client, method, kind string, owner, size int, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequest(method, fmt.Sprintf("http://%s/gone/%s/%d/%d", h.address, kind, owner, size), body)
	if err != nil {
		return nil, err
	}
	r.Host = "shop.example.com"
	if body != nil && kind == "length" {
		r.ContentLength = int64(size)
	}
	return client.Do(r)
}

func (h transfers) get(client *http.Client, kind string, owner, size, come int) {
	got, err := h.large(client, "GET", kind, owner, size, nil)
	if err != nil {
		h.t.Error(err)
		return
	}
	defer got.Body.Close()
	at, n, err := differs(got.Body, owner)
	broken := errors.Is(err, io.ErrUnexpectedEOF)
	if at >= 0 || n > come || (kind == "broken") != broken || !broken && (n != come || err != nil) {
		h.t.Errorf("%s of %d bytes: %d came, other at %d, %v", kind, size, n, at, err)
	}
}

func (h transfers) send(client *http.Client, owner, size int, length bool) {
	kind := "chunked"
	if length {
		kind = "length"
	}
	got, err := h.large(client, "POST", kind, owner, size, io.LimitReader(&counting{owner: owner}, int64(size)))
	if err != nil {
		h.t.Error(err)
		return
	}
	defer got.Body.Close()
	if text, _ := io.ReadAll(got.Body); string(text) != fmt.Sprint(-1, size, nil) {
		h.t.Errorf("%d bytes up: %d %s", size, got.StatusCode, text)
	}
}

// leave reads the beginning of an answer, and goes.
func (h transfers) leave(owner, size int) {
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Error(err)
		return
	}
	defer c.Close()
	_, _ = fmt.Fprintf(c, "GET /gone/length/%d/%d HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", owner, size)
	_, _ = bufio.NewReader(c).ReadString('\n')
	_ = c.(*net.TCPConn).SetLinger(0)
}

// TestLargeBodyNobodyReads: it is let go after limits.body_idle, on the short way, too.
func TestLargeBodyNobodyReads(t *testing.T) {
	h := (&house{t: t}).behind("1s", largeAPI)
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, _ = fmt.Fprintf(c, "GET /gone/length/1/%d HTTP/1.1\r\nHost: shop.example.com\r\n\r\n", 1<<30)
	rig.Until(t, "the call's line", func() bool { return strings.Contains(h.logs.String(), "/gone/length/1/") })
}
