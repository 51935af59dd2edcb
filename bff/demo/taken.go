package demo

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"coatcheck/bff/process"
)

// listenError says what to do where the demo's address is taken.
func listenError(address string, err error) error {
	if _, port, split := net.SplitHostPort(address); split == nil && errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %s is in use: try `coatcheck demo --listen localhost:%s`", port, nextPort(port))
	}
	return process.ListenError("--listen", address, err)
}

// nextPort is the port above, as a suggestion.
func nextPort(port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n >= 65535 {
		return "8081"
	}
	return strconv.FormatUint(n+1, 10)
}
