package server

import (
	"runtime"
	"sync"
)

// made are the exchanges that were made while somebody wants them.
var made struct {
	sync.Mutex
	wanted bool
	all    []*exchange
}

func init() {
	exchanges.New = func() any {
		e := new(exchange)
		made.Lock()
		defer made.Unlock()
		if made.wanted {
			made.all = append(made.all, e)
		}
		return e
	}
}

// Unreleased runs something that opens a server and ends it, and returns how many exchanges
// were taken and not given back. No call may be at work before.
func Unreleased(run func()) (n int) {
	for range 2 {
		runtime.GC() // each second one empties a pool
	}
	want := func(wanted bool) []*exchange {
		made.Lock()
		defer made.Unlock()
		all := made.all
		made.wanted, made.all = wanted, nil
		return all
	}
	want(true)
	run()
	for _, e := range want(false) {
		if e.server != nil {
			n++
		}
	}
	return n
}

// Draining reports whether every answer is the last of its connection.
func Draining(s *Server) bool { return s.draining.Load() }

// Lose takes the configuration away, so that the next call meets a fault at once.
func Lose(s *Server) (back func()) {
	was := s.current.Swap(nil)
	return func() { s.current.Store(was) }
}

// Hollow takes the room away that forwards calls, so that the next one meets a fault there.
func Hollow(s *Server) (back func()) {
	was := s.current.Load()
	hollow := *was
	hollow.proxy = nil
	s.current.Store(&hollow)
	return func() { s.current.Store(was) }
}

// ReadBroken reads a stream that lacks half of its parts.
func ReadBroken(s *Server) error {
	_, err := (&streamed{&exchange{server: s}}).Read(make([]byte, 1))
	return err
}
