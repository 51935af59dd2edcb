package proxy_test

import (
	"testing"

	"coatcheck/bff/proxy"
)

// TestPlaceIsGivenUpOnce: a fault in giving back one thing keeps no other, and none is given
// back twice.
func TestPlaceIsGivenUpOnce(t *testing.T) {
	if first, left := proxy.FreeBroken(); first != 1 || left != 1 {
		t.Errorf("given up %d times at first, and %d times in all", first, left)
	}
}
