package command

import (
	"fmt"
	"maps"
	"slices"

	"coatcheck/configs"
	"coatcheck/upstream"
)

// proxyVariables are where other programs read which proxy to ask.
var proxyVariables = []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}

// printWays says which upstreams are reached through a proxy. Where none is, and the
// environment names one, it says that Coatcheck does not ask it.
func (p *Program) printWays(c *configs.Config) {
	some := false
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		if proxy, err := upstream.ParseProxy(c.Upstreams[name].Proxy.Reveal()); err == nil && proxy != nil {
			fmt.Fprintf(p.Stdout, "upstream %s: through the proxy %s\n", name, proxy.Name())
			some = true
		}
	}
	if some {
		return
	}
	for _, name := range proxyVariables {
		if value, _ := p.Getenv(name); value != "" && slices.ContainsFunc(slices.Collect(maps.Values(c.Upstreams)), leavesMachine) {
			fmt.Fprintf(p.Stdout, "note: %s is set, and is not used: an upstream names its proxy, proxy: ${%s:-}\n", name, name)
			return
		}
	}
}

// leavesMachine reports whether an API is elsewhere, so that a proxy could be on the way.
func leavesMachine(u *configs.Upstream) bool {
	at, err := upstream.ParseURL(u.URL)
	return err == nil && !at.IsLoopback()
}
