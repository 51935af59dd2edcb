package rule

import (
	"io/fs"
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
	return "\":8080\", \"127.0.0.1:8080\", \"[::1]:8080\" or \"unix:/run/coatcheck.sock\""
}

func isIPv6(s string) bool {
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is6()
}

// Overlap reports whether two addresses cannot be listened on at once.
func Overlap(a, b string) bool {
	socketA, isA, _ := ParseSocket(a)
	socketB, isB, _ := ParseSocket(b)
	if isA || isB {
		return isA && isB && socketA.Path == socketB.Path
	}
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || IsEvery(hostA) || IsEvery(hostB)
}

// IsEvery reports whether a host to listen on is every address of the machine.
func IsEvery(host string) bool { return slices.Contains([]string{"", "0.0.0.0", "::"}, host) }

// Socket is a Unix socket to listen on: unix:/run/coatcheck.sock[?mode=0660].
type Socket struct {
	// Path of the socket's file.
	Path string
	// Mode is who may connect: 0660 unless it is said.
	Mode fs.FileMode
}

// defaultSocketMode lets the owner and the group of a socket connect, such as a reverse proxy's.
const defaultSocketMode = 0o660

// maxSocketPath is what the systems in use take for a socket's path (unix(7): 108 bytes
// with the zero behind them; 104 on BSD and macOS).
const maxSocketPath = 103

// ParseSocket reads a Unix socket to listen on. is is false where s is none at all; then
// it is an address.
func ParseSocket(s string) (socket Socket, is bool, c Complaint) {
	rest, is := strings.CutPrefix(s, "unix:")
	if !is {
		return socket, false, c
	}
	path, query, has := strings.Cut(rest, "?")
	path = "/" + strings.TrimLeft(path, "/")
	socket = Socket{Path: path, Mode: defaultSocketMode}
	if mode, ok := strings.CutPrefix(query, "mode="); has {
		n, err := strconv.ParseUint(mode, 8, 32)
		if !ok || err != nil || n > 0o777 || n&0o600 != 0o600 {
			return socket, true, Complaint{"mode is who may connect, in octal, the owner among them", "unix:" + path + "?mode=0660"}
		}
		socket.Mode = fs.FileMode(n)
	}
	switch {
	case !strings.HasPrefix(rest, "/"), path == "/", strings.HasSuffix(path, "/"):
		return socket, true, Complaint{"a Unix socket needs an absolute path", "unix:/run/coatcheck.sock"}
	case len(path) > maxSocketPath:
		return socket, true, Complaint{"the path of a Unix socket has at most 103 bytes", "unix:/run/coatcheck.sock"}
	case strings.Contains(path, ":"):
		return socket, true, Complaint{"the path of a Unix socket has no colon", "unix:/run/coatcheck.sock"}
	}
	return socket, true, Complaint{}
}
