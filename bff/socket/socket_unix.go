//go:build unix

package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// most is how much one call may copy: nobody else has the processor meanwhile. More is left
// to the standard library.
const most = 64 << 10

// socket is the socket of a connection. What a step needs lies in it, so that it costs no
// memory; one reader and one writer have their turn at a time.
type socket struct {
	raw syscall.RawConn
	in  reading
	out writing
}

type reading struct {
	sync.Mutex
	take func() ([]byte, error) // nil: p is there
	free func()
	p    []byte
	n    int
	err  error
	step func(fd uintptr) bool
}

type writing struct {
	sync.Mutex
	rest []byte
	err  error
	step func(fd uintptr) bool
}

func newSocket(raw syscall.RawConn) *socket {
	s := &socket{raw: raw}
	s.in.step, s.out.step = s.in.try, s.out.try
	return s
}

func (s *socket) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil // and not the end, which a system call would seem to tell
	}
	s.in.Lock()
	defer s.in.Unlock()
	s.in.p = p
	return s.reads()
}

func (s *socket) readLate(take func() ([]byte, error), free func()) (int, error) {
	s.in.Lock()
	defer s.in.Unlock()
	s.in.take, s.in.free = take, free
	return s.reads()
}

// reads is called with the lock of s.in held.
func (s *socket) reads() (int, error) {
	r := &s.in
	err := s.raw.Read(r.step)
	n, failed := r.n, r.err
	r.take, r.free, r.p, r.n, r.err = nil, nil, nil, 0, nil
	if err != nil {
		return 0, err // closed, or the deadline has passed
	}
	return n, failed
}

// try reports whether there is no need to wait.
func (r *reading) try(fd uintptr) bool {
	if r.take != nil {
		if r.p, r.err = r.take(); r.err != nil {
			return true
		}
	}
	n, errno := read(fd, r.p)
	for errno == syscall.EINTR {
		n, errno = read(fd, r.p)
	}
	switch {
	case errno == syscall.EAGAIN:
		if r.free != nil {
			r.p = nil // what is free is nobody's
			r.free()
		}
		return false
	case errno != 0:
		r.err = failure("read", errno)
	case n == 0:
		r.err = io.EOF
	}
	r.n = max(n, 0)
	return true
}

func (s *socket) write(p []byte) (int, error) {
	w := &s.out
	w.Lock()
	defer w.Unlock()
	w.rest = p
	err := s.raw.Write(w.step)
	n, failed := len(p)-len(w.rest), w.err
	w.rest, w.err = nil, nil
	if err != nil {
		return n, err // closed, or the deadline has passed
	}
	return n, failed
}

// try reports whether there is no need to wait.
func (w *writing) try(fd uintptr) bool {
	for len(w.rest) > 0 {
		n, errno := write(fd, w.rest)
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			return false
		case errno != 0:
			w.err = failure("write", errno)
			return true
		default:
			w.rest = w.rest[n:]
		}
	}
	return true
}

func failure(call string, errno syscall.Errno) error {
	return &net.OpError{Op: call, Net: "socket", Err: os.NewSyscallError(call, errno)}
}
