//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// settled is how long memory must not have grown.
const settled = 3 * time.Second

// slow is where an answer takes longer than a measure, and slowCalls where the API tells how
// many it is asked for.
const (
	slow      = "/api/slow"
	slowCalls = "/slow-calls"
)

const warm = 20 // connections

// memory tells by how many KiB a fresh Coatcheck grows per connection, of which each
// has called once. The first do not count: they warm up.
func (b *bench) memory(ctx context.Context, path string, count int) (float64, error) {
	api, err := free()
	if err != nil {
		return 0, err
	}
	p, err := b.start("memory-api", "0", b.own, "api", "-listen", api)
	if err != nil {
		return 0, err
	}
	if err := p.listening(api); err != nil {
		return 0, err
	}
	address, err := free()
	if err != nil {
		return 0, err
	}
	r, err := b.coatcheck("memory", b.program, address, api, house{})
	if err != nil {
		return 0, err
	}
	defer b.stopLast(2)
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	before := 0
	for i := range count + warm {
		if i == warm {
			if before, err = r.rest(ctx); err != nil {
				return 0, err
			}
		}
		c, err := call(ctx, r, path)
		if err != nil {
			return 0, fmt.Errorf("connection %d: %w", i, err)
		}
		open = append(open, c)
		if path == slow {
			if err := arrived(ctx, api, i+1); err != nil {
				return 0, err
			}
		}
	}
	after, err := r.rest(ctx)
	if err == nil && path == slow {
		err = unanswered(open)
	}
	return float64(after-before) / float64(count), err
}

// arrived waits until the API has so many slow calls. What opening many connections at once
// needs is then no part of what a call holds.
func arrived(ctx context.Context, api string, count int) error {
	for {
		answer, err := client.Get("http://" + api + slowCalls)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if came, _ := strconv.Atoi(string(text)); came >= count || err != nil {
			return err
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}

// unanswered fails where an answer came on one of the connections: that call was not in
// flight.
func unanswered(open []net.Conn) error {
	for i, c := range open {
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		first := make([]byte, 64)
		if n, err := c.Read(first); !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("call %d is not in flight: %q, %w", i, first[:n], err)
		}
	}
	return nil
}

// call opens a connection and calls once; a stream's first event is waited for.
func call(ctx context.Context, r row, path string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	c, err := dialer.DialContext(ctx, "tcp", r.address)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(r.address)
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: localhost:%s\r\nCookie: %s\r\n\r\n", path, port, r.cookie)
	if err != nil {
		return nil, err
	}
	if path == slow {
		return c, nil
	}
	in := bufio.NewReaderSize(c, 512)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", answer.Status)
	}
	if answer.ContentLength >= 0 {
		_, err = io.Copy(io.Discard, answer.Body)
	} else {
		_, err = answer.Body.Read(make([]byte, 1))
	}
	return c, err
}

// rest is the resident memory once it grows no more.
func (p *process) rest(ctx context.Context) (int, error) {
	most, since := 0, time.Now()
	for time.Since(since) < settled {
		now, err := p.resident()
		if err != nil {
			return 0, err
		}
		if now > most {
			most, since = now, time.Now()
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return p.resident()
}

// stopLast ends the processes that were started last.
func (at *place) stopLast(n int) {
	keep := at.processes[:len(at.processes)-n]
	at.processes = at.processes[len(at.processes)-n:]
	at.stop()
	at.processes = keep
}
