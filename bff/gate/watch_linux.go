package gate

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// watcher notices browsers that leave while a call is at work. fasthttp has no
// goroutine that reads meanwhile, as net/http has; asking the kernel about the few
// connections that work for longer than a round is cheaper than one for each.
type watcher struct {
	epoll int
	mu    sync.Mutex
	conns map[uint64]*Conn
	last  uint64
	round atomic.Uint32
	stop  chan struct{}
	done  sync.WaitGroup
}

func newWatcher() *watcher {
	w := &watcher{conns: map[uint64]*Conn{}, stop: make(chan struct{})}
	var err error
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		w.epoll = -1 // browsers that leave are then noticed at the next write
		return w
	}
	w.done.Add(1)
	go w.patrol() // ends with close
	return w
}

func (w *watcher) add(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	c.number = w.last
	w.conns[c.number] = c
}

func (w *watcher) remove(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c.number)
}

func (w *watcher) close() {
	if w.epoll < 0 {
		return
	}
	close(w.stop)
	w.done.Wait()
	_ = unix.Close(w.epoll)
}

// patrol looks, round by round, for connections that work, and asks the kernel who
// of them has gone.
func (w *watcher) patrol() {
	defer w.done.Done()
	tick := time.NewTicker(patrol * time.Millisecond)
	defer tick.Stop()
	events := make([]unix.EpollEvent, 128)
	for {
		select {
		case <-w.stop:
			return
		case <-tick.C:
		}
		w.enlist(max(1, w.round.Add(1)))
		for {
			n, err := unix.EpollWait(w.epoll, events, 0)
			if err != nil || n == 0 {
				break
			}
			for _, e := range events[:n] {
				w.tell(uint64(uint32(e.Fd)) | uint64(uint32(e.Pad))<<32)
			}
		}
	}
}

func (w *watcher) enlist(round uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		if c.due(round) && !w.arm(c) {
			c.work.mu.Lock()
			c.work.watched = false
			c.work.mu.Unlock()
		}
	}
}

// arm asks for one word when the other end closes. The number in the event tells the
// connection even if its descriptor has been used again since.
func (w *watcher) arm(c *Conn) (ok bool) {
	raw := rawConn(c.Conn)
	if raw == nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		e := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR | unix.EPOLLONESHOT,
			Fd: int32(uint32(c.number)), Pad: int32(uint32(c.number >> 32))}
		err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, int(fd), &e)
		if err == unix.EEXIST {
			err = unix.EpollCtl(w.epoll, unix.EPOLL_CTL_MOD, int(fd), &e)
		}
		ok = err == nil
	})
	return ok
}

func (w *watcher) tell(number uint64) {
	w.mu.Lock()
	c := w.conns[number]
	w.mu.Unlock()
	if c != nil {
		c.gone()
	}
}

// rawConn finds the socket, below TLS too.
func rawConn(c net.Conn) syscall.RawConn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	s, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
