//go:build unix

// Package freeport gives tests a port number for a program that cannot take port 0:
// its number has to stand in a configuration before it runs, or it starts twice.
//
// To close a listener and use its number again is a guess: any other process may have
// been given it meanwhile. Here the number stays taken. One accepted connection is
// kept open at it, which has two effects: the kernel gives the number to nobody who
// asks for any port, and a program that names it may listen there all the same,
// because a server may always start again beside its old connections (SO_REUSEADDR,
// which Go, Node, Redis, nginx and Caddy set).
package freeport

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"testing"
)

// Hold takes a port of 127.0.0.1. Nobody listens there until somebody names the
// number. release gives it back.
//
// It uses the system's calls themselves. A listener of package net is in Go's poller, and
// Linux keeps a closed one alive while another thread asks the poller what is new, which on a
// busy machine may take until somebody listens there in vain.
func Hold() (port int, release func(), err error) {
	// No program is started meanwhile: between fork and exec it would hold a copy.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	l, port, err := listen()
	if err != nil {
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	defer syscall.Close(l) //nolint:errcheck // nothing was written
	near, err := dial(port)
	if err != nil {
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	far, err := accept(l)
	if err != nil {
		_ = syscall.Close(near)
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	return port, func() { _, _ = syscall.Close(near), syscall.Close(far) }, nil
}

var loopback = [4]byte{127, 0, 0, 1}

// open makes a socket that programs do not inherit.
func open() (fd int, err error) {
	if fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0); err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

// listen takes a port of the kernel's choice.
func listen() (fd, port int, err error) {
	if fd, err = open(); err != nil {
		return 0, 0, err
	}
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: loopback}), syscall.Listen(fd, 1))
	if err == nil {
		var at syscall.Sockaddr
		if at, err = syscall.Getsockname(fd); err == nil {
			return fd, at.(*syscall.SockaddrInet4).Port, nil
		}
	}
	_ = syscall.Close(fd)
	return 0, 0, err
}

func dial(port int) (fd int, err error) {
	if fd, err = open(); err != nil {
		return 0, err
	}
	err = syscall.EINTR
	for err == syscall.EINTR || err == syscall.EALREADY {
		err = syscall.Connect(fd, &syscall.SockaddrInet4{Addr: loopback, Port: port})
	}
	if err == nil || err == syscall.EISCONN { // an interrupted call goes on by itself
		return fd, nil
	}
	_ = syscall.Close(fd)
	return 0, err
}

func accept(l int) (fd int, err error) {
	err = syscall.EINTR
	for err == syscall.EINTR {
		fd, _, err = syscall.Accept(l)
	}
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	return fd, err
}

// Number holds a port until the test has ended.
func Number(t testing.TB) int {
	t.Helper()
	port, release, err := Hold()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	return port
}

// Text is Number as it stands in an address.
func Text(t testing.TB) string {
	t.Helper()
	return strconv.Itoa(Number(t))
}
