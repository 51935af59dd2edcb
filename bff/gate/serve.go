package gate

import (
	"errors"
	"io"
	"net"
	"time"
)

// Serve takes connections in, and answers their requests with [Options.Serve], until the
// listener is closed. Each connection has a goroutine, which ends with it: see
// [Listener.Empty].
func (l *Listener) Serve() {
	l.accepts(true)
	defer l.accepts(false)
	for {
		c, err := l.accept()
		if err != nil {
			return
		}
		go c.serve()
	}
}

// serve answers one request after another.
func (c *Conn) serve() {
	defer func() { _ = c.Close() }()
	for step(c) == nil {
	}
}

// step answers the next request. An error ends the connection.
func step(c *Conn) (err error) {
	defer c.contain(&err)
	if err := c.next(); err != nil {
		return err
	}
	goesOn := c.options().Serve(c.request)
	if c.tunnel {
		return io.EOF
	}
	if !c.request.Finish() { // the rest of a body is no request
		return io.EOF
	}
	if !goesOn || c.hurry.Load() != nil {
		return io.EOF
	}
	return nil
}

// Send writes an answer's head and body, in one system call where there is no TLS. now is
// the time. Nothing of the answer may be written before it.
func Send(c *Conn, now time.Time, head, body []byte) error {
	c.request.body.invite.withdraw()
	if err := c.writeDeadline(now); err != nil {
		return err
	}
	if len(body) == 0 {
		_, err := c.Conn.Write(head)
		return err
	}
	parts := net.Buffers{head, body}
	_, err := parts.WriteTo(c.Conn)
	return err
}

// IsLast reports whether the browser wants the connection to end behind the answer.
func (r *Request) IsLast() bool {
	h := &r.head
	return h.Close || h.Minor == 0 && !h.KeepAlive
}

var errFault = errors.New("gate: fault") // of the program, which was logged
