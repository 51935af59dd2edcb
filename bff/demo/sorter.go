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

// sorter stands before the demo's listener and lets the hosts that are not Coatcheck's in
// by ways of their own: the attacker and the provider. A connection is sorted by what
// is in its buffer, which stays there: Coatcheck gets it untouched.
type sorter struct {
	net.Listener
	ours   chan net.Conn
	sides  []side
	once   sync.Once
	closed chan struct{}
}

func newSorter(l net.Listener, hosts ...string) *sorter {
	s := &sorter{Listener: l, ours: make(chan net.Conn), closed: make(chan struct{})}
	for _, host := range hosts {
		s.sides = append(s.sides, side{s, []byte("\r\nhost: " + host + "\r\n"), make(chan net.Conn)})
	}
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
	head := bytes.ToLower(firstBytes(c, sortingTime))
	for _, side := range s.sides {
		if bytes.Contains(head, side.host) {
			to = side.conns
		}
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

// Close implements [net.Listener]; all ways are closed then.
func (s *sorter) Close() error {
	s.shut()
	return s.Listener.Close()
}

func (s *sorter) shut() { s.once.Do(func() { close(s.closed) }) }

// side is the way of one host's connections.
type side struct {
	*sorter
	host  []byte // as it stands in a Host line, in lower case
	conns chan net.Conn
}

// Accept implements [net.Listener].
func (s side) Accept() (net.Conn, error) { return s.next(s.conns) }

// Close leaves the listener to Coatcheck, whose it is.
func (s side) Close() error { return nil }
