package forward

import (
	"context"
	"syscall"

	"coatcheck/bff/relay"
)

// connect opens c.
func (f *Forwarder) connect(ctx context.Context, c *conn) error {
	opened, err := f.dialer.Dial(ctx, c.own)
	if err != nil {
		return err
	}
	c.net = opened
	if sc, ok := c.socket.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn()
	}
	c.plain = relay.Socket(c.net)
	c.watch()
	c.reader.Reset(c.net)
	return nil
}
