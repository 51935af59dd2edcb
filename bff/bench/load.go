//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// loadReport is what a load of this program's own says at its end.
type loadReport struct {
	Calls    int
	P50, P99 time.Duration
}

// load is one of this program's own loads: what wrk cannot do.
type load struct {
	address, cookie string
	connections     int
	rate            int // calls a second, of all connections together
	until           time.Time

	mu    sync.Mutex
	took  []time.Duration
	fault error
}

func runLoad(args []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	var l load
	kind := flags.String("kind", "calls", "calls, sockets or sign-ins")
	length := flags.Duration("length", 3*time.Second, "how long")
	flags.StringVar(&l.address, "address", "", "address")
	flags.StringVar(&l.cookie, "cookie", "", "cookie")
	flags.IntVar(&l.connections, "connections", 32, "connections")
	flags.IntVar(&l.rate, "rate", 1000, "calls a second, of calls")
	_ = flags.Parse(args) // exits
	l.until = time.Now().Add(*length)
	do := map[string]func(int) error{"calls": l.calls, "sockets": l.sockets, "sign-ins": l.signIns}[*kind]
	if do == nil {
		return fmt.Errorf("no load %q", *kind)
	}
	var work sync.WaitGroup
	for i := range l.connections {
		work.Go(func() {
			if err := do(i); err != nil {
				l.mu.Lock()
				l.fault = err
				l.mu.Unlock()
			}
		})
	}
	work.Wait()
	if l.fault != nil || len(l.took) == 0 {
		return fmt.Errorf("the load failed: %w", l.fault)
	}
	slices.Sort(l.took)
	return json.NewEncoder(os.Stdout).Encode(loadReport{len(l.took), l.took[len(l.took)/2].Round(time.Microsecond), l.took[len(l.took)*99/100].Round(time.Microsecond)})
}

func (l *load) note(took []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took = append(l.took, took...)
}

func (l *load) host() string {
	_, port, _ := net.SplitHostPort(l.address)
	return "localhost:" + port
}

// calls sends its share of the calls, each at its time; one that is late is sent at once.
func (l *load) calls(i int) error {
	c, err := net.Dial("tcp", l.address)
	if err != nil {
		return err
	}
	defer c.Close()
	request := fmt.Appendf(nil, "GET /api/items HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", l.host(), l.cookie)
	every := time.Second * time.Duration(l.connections) / time.Duration(l.rate)
	in, due := bufio.NewReader(c), time.Now().Add(every*time.Duration(i)/time.Duration(l.connections))
	var took []time.Duration
	for ; due.Before(l.until); due = due.Add(every) {
		time.Sleep(time.Until(due))
		begun := time.Now()
		if _, err := c.Write(request); err != nil {
			return err
		}
		if err := readAnswer(in); err != nil {
			return err
		}
		took = append(took, time.Since(begun))
	}
	l.note(took)
	return nil
}

func readAnswer(in *bufio.Reader) error {
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// sockets sends one message after another, and waits for each to come back.
func (l *load) sockets(int) error {
	ctx := context.Background()
	header := http.Header{"Origin": {"http://" + l.host()}, "Cookie": {l.cookie}}
	c, _, err := websocket.Dial(ctx, "ws://"+l.address+"/api/socket", &websocket.DialOptions{Host: l.host(), HTTPHeader: header})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	text := []byte(strings.Repeat("x", 128))
	var took []time.Duration
	for begun := time.Now(); begun.Before(l.until); begun = time.Now() {
		if err := c.Write(ctx, websocket.MessageText, text); err != nil {
			return err
		}
		if _, _, err := c.Read(ctx); err != nil {
			return err
		}
		took = append(took, time.Since(begun))
	}
	l.note(took)
	return nil
}

// signIns signs people in, one after another.
func (l *load) signIns(int) error {
	var took []time.Duration
	for begun := time.Now(); begun.Before(l.until); begun = time.Now() {
		if _, err := signIn("http://" + l.address + "/bff/login"); err != nil {
			return err
		}
		took = append(took, time.Since(begun))
	}
	l.note(took)
	return nil
}
