//go:build !unix

package http1

import "io"

// late is none on this system: the buffer is taken before the wait.
type late struct{}

func (*late) reset(*Reader, io.Reader) {}

func (*Reader) fillLate(int) (bool, error) { return false, nil }
