package check

import (
	"net"
	"slices"
	"strconv"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// process checks what concerns the process as a whole.
func (ck processCheck) process() {
	c := ck.Config
	ck.address("listen", c.Listen)
	ck.address("admin.listen", c.Admin.Listen)
	if rule.Overlap(c.Listen, c.Admin.Listen) {
		hint := "127.0.0.1:9090"
		if rule.Overlap(c.Listen, hint) {
			hint = "127.0.0.1:9091"
		}
		ck.Refuse("admin.listen", "must differ from the public listener", hint)
	}
	if rule.HasControl(c.Admin.Token.Reveal()) {
		ck.Warn("admin.token", "nobody can present it: no header carries a line break or another control character", "${file:PATH} leaves out blank ends")
	}
	if n := c.Admin.Token.Len(); n > 0 && n < 16 {
		ck.Warn("admin.token", "the admin API's token is short", "16 bytes or more; `coatcheck keygen` makes one")
	}
	for i, p := range c.TrustedProxies {
		if p.IsValid() && p.Bits() == 0 {
			ck.Warn(item("trusted_proxies", i), "every client could choose the address that is logged and throttled", "list the addresses of your own proxies")
		}
	}
	ck.healthPath()
}

func (ck processCheck) healthPath() {
	path := ck.Config.HealthPath
	if path == "" {
		return
	}
	ck.Complain("health_path", rule.HealthPath(path))
	for name, f := range ck.Config.Frontends {
		for i, r := range f.Routes {
			if r.Path != "" && (path == f.BasePath+r.Path || !r.IsExact() && strings.HasPrefix(path, f.BasePath+r.Path)) {
				ck.Warn("health_path", "it takes this path away from "+item(child("frontends", name, "routes"), i), "/healthz")
			}
		}
	}
}

// address checks what [net.Listen] will be given.
func (ck processCheck) address(path, value string) {
	if _, is, c := rule.ParseSocket(value); is {
		ck.Complain(path, c)
		return
	}
	host, port, err := net.SplitHostPort(value)
	if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
		ck.Complain(path, rule.Complaint{Message: "not a listen address", Hint: rule.LikelyAddress(value, map[bool]string{true: "9090", false: "8080"}[path == "admin.listen"])})
		return
	}
	if strings.ContainsAny(host, "/ *") {
		ck.Complain(path, rule.Complaint{Message: "not a listen address", Hint: "for every address: \":" + port + "\""})
	}
}

// sessions checks where sessions lie and what seals them.
func (ck processCheck) sessions() {
	s := ck.Config.Sessions
	if !ck.missingSessions() {
		ck.Complain("sessions.store", rule.Store(s.Store.Reveal()))
	}
	if !rule.IsLabel(s.Prefix) {
		ck.Refuse("sessions.prefix", "must be letters, digits, \".\", \"_\" and \"-\", at most 64", "coatcheck")
	}
	if s.IdleTimeout > s.MaxLifetime {
		ck.Warn("sessions.idle_timeout", "longer than max_lifetime, so it has no effect", "")
	}
	if strings.HasPrefix(s.Store.Reveal(), "memory:") && slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool { return !f.IsDoor() && f.IsHTTPS() }) {
		ck.Warn("sessions.store", "memory:// forgets everybody when the process ends, and cannot be shared by replicas", "redis://… or file:///…")
	}
	ck.warnSessions()
	ck.keys()
}

// missingSessions refuses pages whose sessions have no place; true where it did.
func (ck processCheck) missingSessions() bool {
	if ck.Config.Source.Has("sessions") || !ck.Config.Sessions.Store.IsEmpty() {
		return false
	}
	ck.Refuse("sessions", "required key missing", "a mapping: store and keys")
	return true
}
