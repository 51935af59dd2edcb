//go:build unix

package http1

import (
	"io"
	"net"
	"os"
	"syscall"
)

// late reads from a socket into a buffer that is taken only once bytes are there.
type late struct {
	socket syscall.RawConn // nil: src has none to be read past it
	try    func(fd uintptr) bool
	max    int // that the buffer may hold
	err    error
}

// reset looks for the socket of src. Only these types are known to do nothing in their
// Read but read it; whatever wraps one may.
func (l *late) reset(r *Reader, src io.Reader) {
	l.socket, l.err = nil, nil
	switch c := src.(type) {
	case *net.TCPConn:
		l.socket, _ = c.SyscallConn()
	case *net.UnixConn:
		l.socket, _ = c.SyscallConn()
	}
	if l.socket != nil && l.try == nil {
		l.try = r.tryRead
	}
}

// fillLate is Fill where there is no buffer yet; false: it is for Fill itself.
func (r *Reader) fillLate(max int) (bool, error) {
	if r.page != nil || r.late.socket == nil {
		return false, nil
	}
	r.late.max = max
	if err := r.late.socket.Read(r.late.try); err != nil {
		return true, err
	}
	return true, r.late.err
}

// tryRead reports whether there is no need to wait.
func (r *Reader) tryRead(fd uintptr) bool {
	if r.late.err = r.room(r.late.max); r.late.err != nil {
		return true
	}
	for {
		n, err := syscall.Read(int(fd), r.buf[:min(len(r.buf), r.late.max)])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			r.Release()
			return false
		case err != nil:
			err = &net.OpError{Op: "read", Net: "socket", Err: os.NewSyscallError("read", err)}
		case n == 0:
			err = io.EOF
		}
		r.w, r.late.err = max(n, 0), err
		return true
	}
}
