package configs

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// process checks what concerns the process as a whole.
func (ck *checker) process() {
	c := ck.config
	ck.address("listen", c.Listen)
	ck.address("admin.listen", c.Admin.Listen)
	if overlap(c.Listen, c.Admin.Listen) {
		hint := "127.0.0.1:9090"
		if overlap(c.Listen, hint) {
			hint = "127.0.0.1:9091"
		}
		ck.refuse("admin.listen", "must differ from the public listener", hint)
	}
	if n := c.Admin.Token.Len(); n > 0 && n < 16 {
		ck.warn("admin.token", "the admin API's token is short", "16 bytes or more; `coatcheck keygen` makes one")
	}
	for i, p := range c.TrustedProxies {
		if p.IsValid() && p.Bits() == 0 {
			ck.warn(item("trusted_proxies", i), "every client could choose the address that is logged and throttled", "list the addresses of your own proxies")
		}
	}
	ck.healthPath()
}

func (ck *checker) healthPath() {
	path := ck.config.HealthPath
	if path == "" {
		return
	}
	ck.complain("health_path", settled(path, healthFault(path), healthFault))
	for name, f := range ck.config.Frontends {
		for i, r := range f.Routes {
			if r.Path != "" && strings.HasPrefix(path, f.BasePath+r.Path) {
				ck.warn("health_path", "it takes this path away from "+item(child("frontends", name, "routes"), i), "/healthz")
			}
		}
	}
}

func healthFault(s string) complaint {
	if c := pathFault(s); c.is() {
		return c
	}
	if s == "/bff" || strings.HasPrefix(s, "/bff/") {
		return complaint{"/bff/ is reserved for Coatcheck", "/healthz"}
	}
	return complaint{}
}

// address checks what [net.Listen] will be given.
func (ck *checker) address(path, value string) {
	host, port, err := net.SplitHostPort(value)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		ck.complain(path, complaint{"not a listen address", likelyAddress(value, map[bool]string{true: "9090", false: "8080"}[path == "admin.listen"])})
		return
	}
	if strings.ContainsAny(host, "/ *") {
		ck.complain(path, complaint{"not a listen address", "for every address: \":" + port + "\""})
	}
}

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

// sessions checks where sessions lie and what seals them.
func (ck *checker) sessions() {
	s := ck.config.Sessions
	if !ck.missingSessions() {
		ck.complain("sessions.store", checkStore(s.Store.Reveal()))
	}
	if !isLabel(s.Prefix) {
		ck.refuse("sessions.prefix", "must be letters, digits, \".\", \"_\" and \"-\", at most 64", "coatcheck")
	}
	if s.IdleTimeout > s.MaxLifetime {
		ck.warn("sessions.idle_timeout", "longer than max_lifetime, so it has no effect", "")
	}
	if strings.HasPrefix(s.Store.Reveal(), "memory:") && slices.ContainsFunc(ck.all(), func(f *Frontend) bool { return !f.IsDoor() && f.IsHTTPS() }) {
		ck.warn("sessions.store", "memory:// forgets everybody when the process ends, and cannot be shared by replicas", "redis://… or file:///…")
	}
	ck.warnSessions()
	ck.keys()
}

// all returns the frontends in no order.
func (ck *checker) all() []*Frontend {
	var list []*Frontend
	for _, f := range ck.config.Frontends {
		list = append(list, f)
	}
	return list
}

// isLabel reports whether s can stand in keys, headers and metrics as it is.
func isLabel(s string) bool {
	return s != "" && len(s) <= 64 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}
