//go:build !unix

package forward_test

import "testing"

// deafListener is an address at which nobody can be (RFC 5737).
func deafListener(*testing.T) string { return "192.0.2.1:9" }
