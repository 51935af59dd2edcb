package demo

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

// sorter stands before the demo's listener and lets the attacker's own host in by
// another way, so that Coatcheck does not serve its attacker. A connection is sorted by
// what lies in its buffer, which stays there: Coatcheck gets it untouched.
type sorter struct {
	net.Listener
	host   []byte // the attacker's, as it stands in a Host line
	ours   chan net.Conn
	theirs chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newSorter(l net.Listener, host string) *sorter {
	s := &sorter{Listener: l, host: []byte("\r\nhost: " + host + "\r\n"),
		ours: make(chan net.Conn), theirs: make(chan net.Conn), closed: make(chan struct{})}
	go s.admit() // ends with Close
	return s
}

func (s *sorter) admit() {
	defer s.shut()
	for {
		c, err := s.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of descriptors, most likely: they come back
			continue
		}
		go s.sort(c) // ends within sortingTime and the next Accept, or with Close
	}
}

func (s *sorter) sort(c net.Conn) {
	to := s.ours
	if bytes.Contains(bytes.ToLower(firstBytes(c, sortingTime)), s.host) {
		to = s.theirs
	}
	select {
	case to <- c:
	case <-s.closed:
		_ = c.Close()
	}
}

// Accept implements [net.Listener] for Coatcheck's connections.
func (s *sorter) Accept() (net.Conn, error) { return s.next(s.ours) }

func (s *sorter) next(from chan net.Conn) (net.Conn, error) {
	select {
	case c := <-from:
		return c, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]; both ways are closed then.
func (s *sorter) Close() error {
	s.shut()
	return s.Listener.Close()
}

func (s *sorter) shut() { s.once.Do(func() { close(s.closed) }) }

// attackers is the way of the attacker's connections.
type attackers struct{ *sorter }

// Accept implements [net.Listener].
func (s attackers) Accept() (net.Conn, error) { return s.next(s.theirs) }

// Close leaves the listener to Coatcheck, whose it is.
func (s attackers) Close() error { return nil }
