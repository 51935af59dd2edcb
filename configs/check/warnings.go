package check

import (
	"time"

	"coatcheck/configs"
)

// What is allowed and unwise: beyond these a person should have thought about it.
const (
	longIdle     = 24 * time.Hour
	longLife     = 30 * 24 * time.Hour
	manyGuesses  = 100 // failed sign-ins per account and window
	shortEnds    = 10 * time.Second
	wideNetworkA = 8  // bits of an IPv4 network
	wideNetworkB = 32 // bits of an IPv6 network
)

// warnSessions warns of times that work and should not be set without a reason.
func (ck processCheck) warnSessions() {
	s := ck.Config.Sessions
	if s.NearCache == 0 {
		ck.Warn("sessions.near_cache", "every call asks the store, and costs about twice the CPU", "1s: a sign-out is then honoured everywhere after a second at most")
	}
	if s.IdleTimeout > longIdle {
		ck.Warn("sessions.idle_timeout", "a browser that is left open stays signed in for more than a day", "30m to 8h")
	}
	if s.MaxLifetime > longLife {
		ck.Warn("sessions.max_lifetime", "a stolen cookie would work for more than a month", "12h to 720h")
	}
	for i, p := range ck.Config.TrustedProxies {
		least := wideNetworkA
		if p.IsValid() && p.Addr().Is6() {
			least = wideNetworkB
		}
		if p.IsValid() && p.Bits() > 0 && p.Bits() < least {
			ck.Warn(item("trusted_proxies", i), "a network this wide covers more than your own proxies", "list their addresses")
		}
	}
	if d := ck.Config.Drain; d.Timeout > 0 && d.Timeout < time.Second {
		ck.Warn("drain.timeout", "requests in progress are cut off at every restart", "30s")
	}
}

// warnFrontend warns of what makes a frontend weaker than it need be.
func (ck frontendCheck) warnFrontend(path string, f *configs.Frontend) {
	if f.IsHTTPS() && f.HSTS == 0 {
		ck.Warn(child(path, "hsts"), "a first visit over plain http can be hijacked on the network", "8760h, unless a reverse proxy in front sends the header")
	}
	if f.Throttle.Account > manyGuesses {
		ck.Warn(child(path, "throttle", "account"), "so many passwords can be tried for one account per window", "10")
	}
}

// warnRoute warns of a route that holds a process up more than it must.
func (ck routeCheck) warnRoute(path string, r *configs.Route) {
	if r.MaxBody == 0 {
		ck.Warn(child(path, "max_body"), "request bodies are unlimited", "32MiB")
	}
	if r.WebSocket && r.IdleTimeout < shortEnds {
		ck.Warn(child(path, "idle_timeout"), "a WebSocket that is silent so long is cut off", "5m, or more than the API's own pings are apart")
	}
	if !r.Guard && r.Session == "none" && len(r.Methods) > 1 && len(r.Callers) == 0 {
		ck.Warn(child(path, "methods"), "any site and any program may call all of these methods: the guard is off", "only the methods that the caller needs, such as [POST]")
	}
}
