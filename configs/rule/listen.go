package rule

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// LikelyAddress is what somebody meant who wrote a port, or a host, alone.
func LikelyAddress(value, usualPort string) string {
	bare := strings.Trim(value, "[]")
	switch {
	case IsPort(value):
		return strconv.Quote(":" + value)
	case IsHostName(value) || isIPv6(bare):
		return strconv.Quote(net.JoinHostPort(bare, usualPort))
	}
	return "\":8080\", \"127.0.0.1:8080\" or \"[::1]:8080\""
}

func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

// Overlap reports whether two addresses cannot be listened on at once.
func Overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || IsEvery(hostA) || IsEvery(hostB)
}

// IsEvery reports whether a host to listen on is every address of the machine.
func IsEvery(host string) bool { return slices.Contains([]string{"", "0.0.0.0", "::"}, host) }
