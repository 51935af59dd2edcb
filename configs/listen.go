package configs

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// likelyAddress is what somebody meant who wrote a port, or a host, alone.
func likelyAddress(value, usualPort string) string {
	bare := strings.Trim(value, "[]")
	switch {
	case isPort(value):
		return strconv.Quote(":" + value)
	case isHostName(value) || isIPv6(bare):
		return strconv.Quote(net.JoinHostPort(bare, usualPort))
	}
	return "\":8080\", \"127.0.0.1:8080\" or \"[::1]:8080\""
}

func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

// overlap reports whether two addresses cannot be listened on at once.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isEvery(hostA) || isEvery(hostB)
}

func isEvery(host string) bool { return slices.Contains([]string{"", "0.0.0.0", "::"}, host) }
