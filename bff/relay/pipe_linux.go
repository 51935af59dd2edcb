package relay

import (
	"io"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// pipeSize is how much one step through a pipe can take. The kernel allows a user 64 MiB
// of pipes by default (pipe(7)); beyond that they stay small, which works as well.
const pipeSize = 256 << 10

// Pipe is a pipe of the kernel, empty between two steps. Its zero value is none. It must
// not be copied.
type Pipe struct {
	ends *ends
	n    int   // bytes in it
	err  error // of the last step
	max  int   // that the next step may take

	in, out func(fd uintptr) bool // made once
}

type ends struct{ read, write int }

// pipes are kept for the next body. A [sync.Pool] would lose their descriptors.
var pipes struct {
	sync.Mutex
	free []*ends
}

const mostPipes = 64 // that are kept

// Socket is the socket of a connection that bytes can go to or come from without a copy;
// nil: this one has none, as TLS has not.
func Socket(c net.Conn) syscall.RawConn {
	tcp, ok := c.(interface { // nothing but a socket of TCP can do both
		syscall.Conn
		SetNoDelay(bool) error
	})
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// Open makes the pipe; false: there is none to be used.
func (p *Pipe) Open() bool {
	pipes.Lock()
	if n := len(pipes.free); n > 0 {
		p.ends, pipes.free = pipes.free[n-1], pipes.free[:n-1]
	}
	pipes.Unlock()
	if p.ends == nil {
		var fds [2]int
		if unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
			return false
		}
		_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
		p.ends = &ends{fds[0], fds[1]}
	}
	p.in, p.out = p.spliceIn, p.spliceOut
	return true
}

// Free ends the use of the pipe. Bytes that are still in it are lost with it.
func (p *Pipe) Free() {
	e := p.ends
	if e == nil {
		return
	}
	p.ends = nil
	pipes.Lock()
	keep := p.n == 0 && len(pipes.free) < mostPipes
	if keep {
		pipes.free = append(pipes.free, e)
	}
	pipes.Unlock()
	if !keep {
		_ = unix.Close(e.read)
		_ = unix.Close(e.write)
	}
}

// Fill waits for bytes from a socket and takes at most limit of them. io.EOF is its end.
// ok is false where this kernel cannot do it: nothing was taken then.
func (p *Pipe) Fill(from syscall.RawConn, limit int64) (n int, ok bool, err error) {
	p.max = int(min(limit, pipeSize))
	err = from.Read(p.in)
	switch {
	case err != nil:
		return 0, true, err
	case p.err == unix.EINVAL, p.err == unix.ENOSYS:
		return 0, false, nil
	case p.err != nil:
		return 0, true, p.err
	case p.n == 0:
		return 0, true, io.EOF
	}
	return p.n, true, nil
}

// Drain writes to a socket what is in the pipe.
func (p *Pipe) Drain(to syscall.RawConn) error {
	if err := to.Write(p.out); err != nil {
		return err
	}
	return p.err
}

// spliceIn reports whether there is no need to wait.
func (p *Pipe) spliceIn(fd uintptr) bool {
	for {
		n, err := unix.Splice(int(fd), nil, p.ends.write, nil, p.max, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if err == unix.EINTR {
			continue
		}
		p.n, p.err = max(int(n), 0), err
		return err != unix.EAGAIN
	}
}

func (p *Pipe) spliceOut(fd uintptr) bool {
	for p.n > 0 {
		n, err := unix.Splice(p.ends.read, nil, int(fd), nil, p.n, unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return false
		case err == nil && n == 0:
			err = io.ErrUnexpectedEOF
		}
		if p.err = err; err != nil {
			return true
		}
		p.n -= int(n)
	}
	p.err = nil
	return true
}
