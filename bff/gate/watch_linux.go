package gate

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher notices browsers that leave while a call is at work. Nobody reads from a
// connection meanwhile, as net/http does. The kernel is asked once for each
// connection to report its end, so that nothing is done per call or per round.
type watcher struct {
	epoll *os.File        // an epoll instance, itself watched by Go's poller; nil: it could not be made
	raw   syscall.RawConn // the same
	done  sync.WaitGroup

	mu    sync.Mutex
	conns map[uint64]*Conn
	last  uint64
}

func newWatcher() *watcher {
	w := &watcher{conns: map[uint64]*Conn{}}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return w // browsers that leave are then noticed at the next write
	}
	_ = unix.SetNonblock(fd, true) // or os.NewFile would not use the poller
	w.epoll = os.NewFile(uintptr(fd), "epoll")
	if w.raw, err = w.epoll.SyscallConn(); err != nil {
		_ = w.epoll.Close()
		w.epoll = nil
		return w
	}
	w.done.Go(w.listen) // ends with close
	return w
}

// add asks for a word when the other end closes: for changes only (EPOLLET), and not
// for data. The kernel forgets a connection that is closed.
func (w *watcher) add(c *Conn) {
	raw := rawConn(c)
	if w.epoll == nil || raw == nil {
		return
	}
	w.mu.Lock()
	w.last++
	c.number = w.last
	w.conns[c.number] = c
	w.mu.Unlock()
	e := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR | unix.EPOLLET,
		Fd: int32(uint32(c.number)), Pad: int32(uint32(c.number >> 32))}
	_ = w.raw.Control(func(epoll uintptr) {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.EpollCtl(int(epoll), unix.EPOLL_CTL_ADD, int(fd), &e)
		})
	})
}

func (w *watcher) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c.number)
}

func (w *watcher) close() {
	if w.epoll == nil {
		return
	}
	_ = w.epoll.Close()
	w.done.Wait()
}

// listen waits for what the kernel has to report.
func (w *watcher) listen() {
	events := make([]unix.EpollEvent, 128)
	for {
		n := 0
		err := w.raw.Read(func(epoll uintptr) bool {
			n = poll(int(epoll), events)
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			w.tell(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32)
		}
	}
}

// poll takes events without waiting; 0: there are none.
func poll(epoll int, events []unix.EpollEvent) int {
	for {
		n, err := unix.EpollWait(epoll, events, 0)
		if err != unix.EINTR {
			return max(n, 0)
		}
	}
}

// tell finds the connection by its number: its descriptor may have been used again since.
func (w *watcher) tell(number uint64) {
	w.mu.Lock()
	c := w.conns[number]
	w.mu.Unlock()
	if c != nil {
		c.gone()
	}
}

// rawConn finds the socket, below TLS too.
func rawConn(c *Conn) syscall.RawConn {
	s, ok := belowTLS(c.Conn).(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
