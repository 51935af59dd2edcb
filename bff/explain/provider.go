package explain

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"coatcheck/bff/account"
	"coatcheck/bff/auth"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/upstream/oidc"
)

// providerExplainer explains what people call on their way to a provider and back.
type providerExplainer struct{ *explainer }

// explained explains the addresses of a sign-in at a provider; false: it is none of
// them. What is made for each attempt stands there by its name only.
func (e providerExplainer) explained() bool {
	switch d := &e.call.Decision; {
	case d.Endpoint.ID == routing.Login && e.call.Request.IsGet():
		e.login()
	case d.Endpoint.ID == routing.Callback:
		e.callback()
	case d.Endpoint.ID == routing.ProviderLogout:
		e.say("answer", "303 to the provider's sign-out, once, within 60 s of the POST /bff/logout that gave this address; else 404")
	case d.Endpoint.ID == routing.BackChannel:
		e.backChannel()
	default:
		return false
	}
	return true
}

// made stands in the place of what is made for each attempt.
const made = "(made for each attempt)"

func (e providerExplainer) login() {
	r, err := account.ReadLogin(&e.call)
	if err != nil {
		e.say("request", "%s", err)
		var p *problem.Problem
		if errors.As(err, &p) {
			e.refuse(p)
		}
		return
	}
	c := e.config.Providers[r.Provider]
	e.say("return to", "%s", r.ReturnTo)
	e.say("provider", "%s", r.Provider)
	ask := r.Authorize
	ask.State, ask.Nonce = made, made
	query := oidc.Parameters(c, ask)
	query.Set("code_challenge", "(S256 of a verifier made for each attempt)")
	address := c.Authorization
	if c.HasIssuer() {
		address = "(authorization_endpoint of the metadata of " + c.Issuer + ")"
	}
	e.say("answer", "303 to %s", address)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		e.say("", "%s = %s", name, strings.Join(query[name], " "))
	}
	if c.HasIssuer() && c.PAR != "off" {
		e.say("note", "Where the provider takes pushed requests (par: %s), they are sent to it beforehand, and the browser carries client_id and request_uri only.", c.PAR)
	}
	name := e.call.Frontend().Config.Cookie.Name + auth.LoginSuffix
	if _, known := auth.Browser(e.call.Request.Head, e.call.Frontend()); known {
		e.say("cookie", "%s is there; it is kept, and prolonged to %s min at least", name, strconv.Itoa(int(c.Attempt.Minutes())))
	} else {
		e.say("cookie", "%s is set anew: Lax, for %s min at least", name, strconv.Itoa(int(c.Attempt.Minutes())))
	}
	e.say("note", "Not shown: what the provider does.")
}

// named is the one that the path names; nil, and explained, where there is none.
func (e providerExplainer) named() bool {
	name := string(e.call.Decision.Segment)
	if e.config.Providers[name] == nil {
		e.say("provider", "no provider of this name")
		e.refuse(problem.NotFound)
		return false
	}
	e.say("provider", "%s", name)
	return true
}

func (e providerExplainer) callback() {
	if !e.named() {
		return
	}
	if !e.call.Request.IsGet() {
		e.say("answer", "303 to the same address as GET, with code, state, iss and error of the form, so that the cookie comes along")
		return
	}
	e.say("checks", "in this order: each parameter once, not too long; the state opens here and belongs to the frontend; the cookie is the browser's, and the attempt not too old (else it begins anew, once); iss; error; the attempt is used for the first time; the code is redeemed; the ID token; admit")
	_, known := auth.Browser(e.call.Request.Head, e.call.Frontend())
	e.say("cookie", "%s%s is there: %v", e.call.Frontend().Config.Cookie.Name, auth.LoginSuffix, known)
	e.say("answer", "200, a page that leads on to where the person wanted to go; or a page that says what failed")
	e.say("note", "Not shown: what state and code hold, and what the provider says about them.")
}

func (e providerExplainer) backChannel() {
	if !e.named() {
		return
	}
	if !e.config.Providers[string(e.call.Decision.Segment)].HasIssuer() {
		e.say("provider", "a provider without an issuer sends no logout tokens")
		e.refuse(problem.NotFound)
		return
	}
	e.say("answer", "200 where the form holds one logout_token that can be used, and the sessions are ended; 400 invalid_request where not; 503 while store or keys are away, and then nothing is marked")
	e.say("note", "Not shown: the token.")
}
