//go:build !unix

package socket

import "net"

// Wrap returns c: on this system its own Read and Write are used.
func Wrap(c net.Conn) net.Conn { return c }
