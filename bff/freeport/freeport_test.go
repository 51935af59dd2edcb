package freeport_test

import (
	"fmt"
	"net"
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
