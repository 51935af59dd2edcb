package read

import (
	"errors"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs"
)

// The notations. Their errors never repeat the value: it may come out of a variable.
var (
	errDuration = errors.New("not a duration: use a number with a unit, e.g. 90s, 5m, 1h30m")
	errSize     = errors.New("not a size: use e.g. 512KiB, 10MiB, 1GiB or a number of bytes")
	errInteger  = errors.New("not a whole number in decimal digits")
	errPrefix   = errors.New("not an IP address or CIDR: use e.g. 10.0.0.0/8 or 192.0.2.7")
	errHostBits = errors.New("host bits are set: write 10.0.0.0/8, not 10.0.0.1/8")
)

// parseDuration reads what [time.ParseDuration] reads; a bare number has no unit and is refused, 0 excepted.
func parseDuration(s string) (time.Duration, error) {
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, errDuration
	}
	return v, nil
}

// units of a [Size], the longest suffix first.
var units = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"B", 1}, {"", 1}}

func parseSize(s string) (configs.Size, error) {
	for _, unit := range units {
		digits, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63)
		if err != nil || int64(n) > math.MaxInt64/unit.bytes {
			return 0, errSize
		}
		return configs.Size(int64(n) * unit.bytes), nil
	}
	return 0, errSize
}

func parseInt(s string) (int, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || strings.HasPrefix(s, "0") && s != "0" { // 017 is octal to some YAML readers
		return 0, errInteger
	}
	return int(n), nil
}

// parsePrefix reads a network or one address. IPv4-mapped IPv6 becomes IPv4.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return netip.Prefix{}, errPrefix
	case prefix != prefix.Masked():
		return netip.Prefix{}, errHostBits
	case prefix.Addr().Is4In6() && prefix.Bits() >= 96:
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return prefix, nil
}
