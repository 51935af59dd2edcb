package freeport_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"coatcheck/bff/freeport"
)

// The fear: two programs of the tests get one number.
func TestTheKernelGivesAHeldPortToNobody(t *testing.T) {
	held := map[int]bool{}
	for range 50 {
		held[freeport.Number(t)] = true
	}
	if len(held) != 50 {
		t.Fatalf("%d numbers for 50 holders", len(held))
	}
	for range 500 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if port := l.Addr().(*net.TCPAddr).Port; held[port] {
			t.Fatalf("port %d was given away", port)
		}
	}
}

// Who names the number may listen there, more than once, and nobody else does.
func TestAHeldPortCanBeUsed(t *testing.T) {
	port := freeport.Number(t)
	for range 2 {
		if c, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			_ = c.Close()
			t.Fatalf("somebody listens at %d", port)
		}
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	}
}

// The fear: a program that starts meanwhile takes the listener along, so that the number
// cannot be listened at for as long as that takes.
func TestAHeldPortIsFreeToListenAtWhileProgramsStart(t *testing.T) {
	var starting sync.WaitGroup
	defer starting.Wait()
	done := make(chan struct{})
	defer close(done)
	for range 4 {
		starting.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = exec.Command(os.Args[0], "-test.run=^$").Run()
				}
			}
		})
	}
	for range 500 {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", freeport.Text(t)))
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	}
}

// The port of a server that was closed is refused to whoever calls it, and taken for whoever
// asks for it: a dialler that names its own port says so, since it may not share one.
func TestAPortThatIsKept(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	freeport.Keep(t, l.Addr())
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("somebody answers")
	}
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	c, err := (&net.Dialer{LocalAddr: l.Addr()}).Dial("tcp", other.Addr().String())
	if err == nil {
		_ = c.Close()
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the port is free: %v", err)
	}
}
