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
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Hold takes a port of 127.0.0.1. Nobody listens there until somebody names the
// number. release gives it back.
func Hold() (port int, release func(), err error) { return hold("127.0.0.1:0") }

func hold(address string) (port int, release func(), err error) {
	lookAhead()
	defer keepFromPrograms()()
	l, err := net.Listen("tcp", address)
	if err != nil {
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	far, err := l.Accept()
	if err != nil {
		_ = near.Close()
		return 0, nil, fmt.Errorf("freeport: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, func() { _, _ = near.Close(), far.Close() }, nil
}

// lookAhead makes package os find out now what it finds out once, before it starts its first
// program: whether clone(2) gives a pidfd. It takes no lock for that, and the process that it
// makes would hold a copy of a listener until it has ended.
var lookAhead = sync.OnceFunc(func() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Release()
	}
})

// keepFromPrograms lets no other goroutine start a program until stop is called: between
// fork and exec that would hold a copy of the listener, and the number could not be
// listened at for as long as that takes. On other systems net takes the same lock itself,
// which it must not twice.
func keepFromPrograms() (stop func()) {
	if runtime.GOOS != "linux" {
		return func() {}
	}
	syscall.ForkLock.RLock()
	return syscall.ForkLock.RUnlock
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

// Keep holds the port of a server that was just closed, until the test has ended: who calls
// it is refused. Without that another process may be given the number, and answer.
func Keep(t testing.TB, server net.Addr) {
	t.Helper()
	_, release, err := hold(server.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
}
