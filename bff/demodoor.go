package main

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"time"
)

// sortingTime is how long a connection may say nothing before it is taken for one of
// Coatcheck's. Browsers open connections before they need them.
const sortingTime = 10 * time.Second

// door stands before the demo's listener and lets the attacker's own host in by
// another way, so that Coatcheck does not serve its attacker. A connection is sorted by
// what lies in its buffer, which stays there: Coatcheck gets it untouched.
type door struct {
	net.Listener
	host   []byte // the attacker's, as it stands in a Host line
	ours   chan net.Conn
	theirs chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newDoor(l net.Listener, host string) *door {
	d := &door{Listener: l, host: []byte("\r\nhost: " + host + "\r\n"),
		ours: make(chan net.Conn), theirs: make(chan net.Conn), closed: make(chan struct{})}
	go d.admit() // ends with Close
	return d
}

func (d *door) admit() {
	defer d.shut()
	for {
		c, err := d.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors, most likely: they come back
			continue
		}
		go d.sort(c) // ends within sortingTime and the next Accept, or with Close
	}
}

func (d *door) sort(c net.Conn) {
	to := d.ours
	if bytes.Contains(bytes.ToLower(firstBytes(c, sortingTime)), d.host) {
		to = d.theirs
	}
	select {
	case to <- c:
	case <-d.closed:
		_ = c.Close()
	}
}

// Accept implements [net.Listener] for Coatcheck's connections.
func (d *door) Accept() (net.Conn, error) { return d.next(d.ours) }

func (d *door) next(from chan net.Conn) (net.Conn, error) {
	select {
	case c := <-from:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]; both ways are closed then.
func (d *door) Close() error {
	d.shut()
	return d.Listener.Close()
}

func (d *door) shut() { d.once.Do(func() { close(d.closed) }) }

// sideDoor is the way of the attacker's connections.
type sideDoor struct{ *door }

// Accept implements [net.Listener].
func (s sideDoor) Accept() (net.Conn, error) { return s.next(s.theirs) }

// Close leaves the door to Coatcheck, whose it is.
func (s sideDoor) Close() error { return nil }
