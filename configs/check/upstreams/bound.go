package upstreams

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/check/checker"
	"coatcheck/upstream/mapping"
)

// takesBound checks an API that takes tokens which are bound to a key.
func (ck upstreamCheck) takesBound(path, name string, u *configs.Upstream) {
	ck.sendsScheme(path, u)
	if !u.DPoP {
		return
	}
	SendsBound(ck.Checker, path, u)
	atProvider := func(f *configs.Frontend) bool { return len(f.Login.Provider) > 0 && f.Carries(ck.Config, u) }
	at := child(path, "dpop")
	if !slices.ContainsFunc(ck.Frontends(), atProvider) {
		ck.Warn(at, "no route sends the token of somebody who signed in at a provider here, so nothing is bound", "send_token: true at a route to "+name)
		return
	}
	for _, f := range ck.Frontends() {
		if atProvider(f) && !ck.Config.BindsTokens(f) && !ck.allBind(f) {
			ck.Warn(at, "the same tokens go to an upstream without dpop: true, so none is bound where a provider's dpop is auto", "dpop: true at every upstream that gets them")
			return
		}
	}
}

// allBind reports whether every provider of f binds tokens whoever takes them.
func (ck upstreamCheck) allBind(f *configs.Frontend) bool {
	return !slices.ContainsFunc(f.Login.Provider, func(name string) bool {
		p := ck.Config.Providers[name]
		return p != nil && p.DPoP != "required"
	})
}

// SendsBound checks that a bound token can be sent: in Authorization, and nowhere else
// (RFC 9449 §7.1).
func SendsBound(ck *checker.Checker, path string, u *configs.Upstream) {
	headers, _ := u.SendHeaders()
	bearer := mapping.Bearer()["Authorization"].Reveal()
	sendsElsewhere(ck, child(path, "send", "headers"), headers, func(header, value string) bool {
		return strings.EqualFold(header, "authorization") && strings.EqualFold(value, bearer)
	})
	if u.Send == nil {
		return
	}
	never := func(string, string) bool { return false }
	sendsElsewhere(ck, child(path, "send", "query"), u.Send.Query, never)
	sendsElsewhere(ck, child(path, "send", "cookie"), u.Send.Cookie, never)
	if slices.Contains(mapping.MessageNames(u.Send.Message()), credential.AccessToken) {
		ck.Refuse(child(path, "send", "socket"), boundElsewhere, boundCure)
	}
}

const (
	boundElsewhere = "a token that is bound to a key goes along in Authorization only"
	boundCure      = "Authorization: Bearer {access_token}; the scheme follows the token"
)

// sendsElsewhere refuses the access token in whatever is not allowed to have it.
func sendsElsewhere(ck *checker.Checker, path string, all map[string]mapping.Template, allowed func(name, value string) bool) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(all[name].Names(), credential.AccessToken) && !allowed(name, all[name].Reveal()) {
			ck.Refuse(child(path, name), boundElsewhere, boundCure)
		}
	}
}

// sendsScheme refuses to send tokens as bound ones by a constant: whether a token is
// bound, each session knows.
func (ck upstreamCheck) sendsScheme(path string, u *configs.Upstream) {
	if u.Send == nil {
		return
	}
	for header, value := range u.Send.Headers {
		at := child(path, "send", "headers", header)
		scheme, _, _ := strings.Cut(value.Reveal(), " ")
		switch {
		case strings.EqualFold(header, "dpop"):
			ck.Refuse(at, "a proof is made for each call", "dpop: true at the upstream")
		case strings.EqualFold(header, "authorization") && strings.EqualFold(scheme, "dpop"):
			ck.Refuse(at, "a token that is not bound to a key must not be sent as one that is", "Authorization: Bearer {access_token} and dpop: true; the scheme follows the token")
		}
	}
}
