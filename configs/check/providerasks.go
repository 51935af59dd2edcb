package check

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/check/upstreams"
	"coatcheck/configs/rule"
	"coatcheck/upstream"
)

// asksFor checks scopes and constants.
func (ck providerCheck) asksFor(path string, p *configs.Provider) {
	ck.Scopes(child(path, "scopes"), p.Scopes)
	for _, name := range slices.Sorted(maps.Keys(p.Authorize)) {
		ck.Complain(child(path, "authorize", name), rule.Constant(name, p.Authorize[name]))
	}
	for i, a := range p.Audiences {
		if a == "" || a == p.ClientID {
			ck.Refuse(item(child(path, "audiences"), i), "other audiences than the client itself are listed here", "")
		}
	}
}

// admits checks the lines that a person must match.
func (ck providerCheck) admits(path string, p *configs.Provider) {
	for i, line := range p.Admit {
		at := item(child(path, "admit"), i)
		if line.At == "" {
			ck.Refuse(child(at, "at"), "must not be empty", "/hd")
		}
		ck.Pointer(child(at, "at"), line.At)
		for _, v := range line.Is.Values {
			if text, ok := v.(string); ok && strings.Contains(text, "*") {
				ck.Warn(child(at, "is"), "values are compared whole here: * stands for itself", "list each value")
			}
		}
	}
}

// reachesProvider checks the way to a provider: its proxy, and the addresses that are dialled instead.
func (ck providerCheck) reachesProvider(path string, p *configs.Provider) {
	if _, err := upstream.ParseProxy(p.Proxy.Reveal()); err != nil {
		ck.Refuse(child(path, "proxy"), err.Error(), "http://proxy.example.com:3128")
	}
	for _, host := range slices.Sorted(maps.Keys(p.Addresses)) {
		at, to := child(path, "addresses", host), p.Addresses[host]
		ck.Complain(at, rule.BareHost(host))
		name, port := rule.SplitPort(to)
		if !ck.Complain(at, rule.Host(name)) && !rule.IsPort(port) {
			ck.Refuse(at, "not a host:port", "\"10.0.0.5:8443\"")
		}
	}
}

// unwiseProvider warns of what works and leads to complaints later.
func (ck providerCheck) unwiseProvider(path string, p *configs.Provider) {
	if p.HasIssuer() && !p.IsOpenID() && p.User == nil {
		ck.Warn(child(path, "scopes"), "without openid there is no ID token, and nothing says who signed in", "[openid, …]")
	}
	if !p.ChecksNonce() {
		ck.Warn(child(path, "nonce"), "an ID token that was stolen elsewhere could be passed off as this sign-in's", "on, unless this provider's ID tokens have no nonce")
	}
	issuer, _ := url.Parse(p.Issuer)
	host := ""
	if issuer != nil {
		host = strings.ToLower(issuer.Hostname())
	}
	offline := slices.Contains(p.Scopes, "offline_access")
	switch {
	case host == "accounts.google.com" && p.Authorize["access_type"] != "offline":
		ck.Warn(child(path, "authorize"), "Google gives no refresh token without it, so that sessions end after an hour", "{access_type: offline, prompt: consent}")
	case host == "accounts.google.com" && offline:
		ck.Warn(child(path, "scopes"), "Google does not know offline_access", "authorize: {access_type: offline, prompt: consent}")
	case !offline && rule.NeedsOfflineAccess(host):
		ck.Warn(child(path, "scopes"), "this provider gives no refresh token without offline_access, so that sessions end with the first token", "[openid, offline_access, …]")
	}
}

// boundAt checks what a provider says of tokens that are bound to a key.
func (ck providerCheck) boundAt(path, name string, p *configs.Provider) {
	if p.DPoP != "required" {
		return
	}
	for _, upstream := range slices.Sorted(maps.Keys(ck.Config.Upstreams)) {
		u := ck.Config.Upstreams[upstream]
		gets := func(f *configs.Frontend) bool {
			return slices.Contains(f.Login.Provider, name) && f.Carries(ck.Config, u)
		}
		if u.DPoP || !slices.ContainsFunc(ck.Frontends(), gets) {
			continue
		}
		ck.Warn(child(path, "dpop"), "every token is bound to a key, and upstream "+upstream+" is not said to take such tokens", child("upstreams", upstream, "dpop")+": true")
		upstreams.SendsBound(ck.Checker, child("upstreams", upstream), u)
	}
}
