// Package socket reads from and writes to sockets without the runtime's preparations for
// a system call that may block.
//
// Go marks the beginning and the end of every such call, so that a thread that blocks can
// be replaced, and wakes the thread that watches over them (runtime.sysmon). That thread
// then looks every 20 µs for a while. At a moderate load, where a process sleeps between
// two calls, each call wakes it anew, which costs more than the calls do. A read or write
// of a socket that belongs to the poller never blocks: it needs no such preparation.
//
// [Wrap] gives such a connection; where there is none (TLS, other systems, the race
// detector, which follows the standard library's calls), everything works as before.
package socket

import "net"

// Listener wraps the connections of another listener.
type Listener struct{ net.Listener }

// Accept implements [net.Listener].
func (l Listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Wrap(c), nil
}
