package process

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"

	"coatcheck/configs/rule"
)

// listenAt opens the listener of an address, or of a Unix socket.
func listenAt(address string) (net.Listener, error) {
	socket, is, _ := rule.ParseSocket(address)
	if !is {
		return net.Listen("tcp", address)
	}
	if err := removeStale(socket.Path); err != nil {
		return nil, err
	}
	return listenOn(socket)
}

// listenOn opens a Unix socket for those whom its mode names.
func listenOn(socket rule.Socket) (net.Listener, error) {
	l, err := net.Listen("unix", socket.Path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(socket.Path, socket.Mode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a socket that a process left behind that is no more. Anything else
// at its path stays, and listening then fails.
func removeStale(path string) error {
	at, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case at.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there, and is not a socket", path)
	}
	c, err := net.Dial("unix", path)
	if err == nil {
		_ = c.Close()
		return fmt.Errorf("%s: another process listens there", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}
