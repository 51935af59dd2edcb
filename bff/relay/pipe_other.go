//go:build !linux

package relay

import (
	"errors"
	"net"
	"syscall"
)

// Pipe is none on this system: bodies go through pages.
type Pipe struct{}

// Socket returns nil: no connection can do without a copy here.
func Socket(net.Conn) syscall.RawConn { return nil }

// Open reports false.
func (*Pipe) Open() bool { return false }

// Free does nothing.
func (*Pipe) Free() {}

// Fill must not be called: Open said no.
func (*Pipe) Fill(syscall.RawConn, int64) (n int, ok bool, err error) { return 0, false, nil }

// Drain must not be called: Open said no.
func (*Pipe) Drain(syscall.RawConn) error { return errors.ErrUnsupported }
