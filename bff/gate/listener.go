package gate

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Listener answers the requests of the connections of another listener.
type Listener struct {
	inner   net.Listener
	options atomic.Pointer[Options]
	watcher *watcher
	stop    sync.Once
	ending  atomic.Bool // no connection waits for a request any more

	mu     sync.Mutex
	conns  map[*Conn]struct{} // those that are open
	taking bool               // a connection may be on its way into conns
	closed chan struct{}
	empty  chan struct{}
}

// Listen puts the gate in front of l.
func Listen(l net.Listener, o Options) *Listener {
	in := &Listener{inner: l, watcher: newWatcher(), conns: map[*Conn]struct{}{}, closed: make(chan struct{}), empty: make(chan struct{})}
	in.SetOptions(o)
	return in
}

// SetOptions puts other bounds in force: for new connections at once, for open ones
// from the next request. What an open connection waits for just now keeps its deadline.
func (l *Listener) SetOptions(o Options) { l.options.Store(&o) }

// Between two tries to take a connection in where the last one failed.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// accept takes the next connection in. It fails only with [net.ErrClosed]: a want of file
// descriptors, or a peer that left in the queue (accept(2)), must not end a service.
func (l *Listener) accept() (*Conn, error) {
	pause := firstPause
	for {
		c, err := l.inner.Accept()
		if err == nil {
			return l.admit(c), nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, net.ErrClosed
		}
		if failing := l.options.Load().Failing; failing != nil {
			failing(err)
		}
		select {
		case <-time.After(pause):
		case <-l.closed:
			return nil, net.ErrClosed
		}
		pause = min(2*pause, lastPause)
	}
}

func (l *Listener) admit(c net.Conn) *Conn {
	conn := newConn(c, l)
	l.mu.Lock()
	l.conns[conn] = struct{}{}
	l.mu.Unlock()
	l.watcher.add(conn)
	return conn
}

// accepts notes that Serve begins or ends. One that was accepted just before Close counts for
// [Listener.Empty].
func (l *Listener) accepts(taking bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.taking = taking
	l.sayEmpty()
}

// leave takes note of a connection's end.
func (l *Listener) leave(c *Conn) {
	l.watcher.remove(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	l.sayEmpty()
}

// Close takes no more connections in; those that are open go on. Closing again does
// nothing.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isClosed() {
		return nil
	}
	close(l.closed)
	l.sayEmpty()
	return l.inner.Close()
}

// Empty is closed once the listener is closed and its last connection has ended.
func (l *Listener) Empty() <-chan struct{} { return l.empty }

func (l *Listener) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// sayEmpty is called with mu held.
func (l *Listener) sayEmpty() {
	if len(l.conns) > 0 || l.taking || !l.isClosed() {
		return
	}
	select {
	case <-l.empty:
	default:
		close(l.empty)
	}
}

// Stop ends the watch over connections, once they have all been closed.
func (l *Listener) Stop() { l.stop.Do(l.watcher.close) }
