package explain

import (
	"strings"

	"coatcheck/bff/auth"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream/oidc"
)

// program tells which program calls, and what would go to the API.
func (e *explainer) program() {
	c := &e.call
	c.ID = []byte("(made for each call)")
	lines, refused := e.auth.Callers.Explain(c, e.body)
	for _, line := range lines {
		e.say("caller", "%s", line)
	}
	if refused != nil {
		e.refuse(refused)
		return
	}
	e.account()
	e.head()
	e.heldBack()
	if c.Decision.BodyTooLarge {
		e.refuse(problem.BodyTooLarge)
		return
	}
	e.say("note", "Not shown: keys made at run time, limits, events that came before, and how the API is doing.")
}

// account says what the program's call goes out with.
func (e *explainer) account() {
	r := e.call.Route()
	name := e.auth.Callers.AccountOf(&e.call)
	u := e.config.Upstreams[r.Upstream]
	if name == "" || u == nil || u.Accounts[name] == nil {
		e.say("account", "none: only what send puts without a token")
		return
	}
	put := strings.Join(e.proxy.Carries(r), ", ")
	switch a := u.Accounts[name]; {
	case a.Credential != nil:
		e.say("account", "%s of %s: the token that the file names, in %s", name, r.Upstream, put)
	case a.Fields != nil:
		e.say("account", "%s of %s: signed in by the login of %s at first need, in %s; while the API does not let it in, 503 account_unavailable", name, r.Upstream, r.Upstream, put)
	default:
		e.say("account", "%s of %s: signed in by its own login at first need, in %s; while the API does not let it in, 503 account_unavailable", name, r.Upstream, put)
	}
}

// offlineProviders are the providers whose tokens programs present. None is asked.
func offlineProviders(c *configs.Config) map[string]auth.Method {
	providers := map[string]auth.Method{}
	for _, caller := range c.Callers {
		if caller.Token == nil || c.Providers[caller.Token.Provider] == nil {
			continue
		}
		name := caller.Token.Provider
		if p, err := oidc.New(name, c.Providers[name], oidc.Options{}); err == nil {
			providers[name] = p
		}
	}
	return providers
}

// head shows the head that would go to the API.
func (e *explainer) head() {
	for i, line := range strings.Split(strings.TrimRight(string(e.proxy.AppendHead(nil, &e.call, proxy.Outgoing{})), "\r\n"), "\r\n") {
		if i == 0 {
			e.say("upstream", "%s", line)
		} else {
			e.say("", "%s", line)
		}
	}
}

// heldBack tells which headers of the call do not go on, and why. Those that every
// browser sends for Coatcheck and the connection are left out.
func (e *explainer) heldBack() {
	label := "dropped"
	for i := range e.call.Request.Head.Fields {
		name := e.call.Request.Head.Fields[i].Name
		why := e.proxy.HeldBack(e.call.Route(), name)
		if why == "" || isUsual(string(name)) {
			continue
		}
		e.say(label, "%s: %s", name, why)
		label = ""
	}
}

// isUsual reports whether every call has a header of this name, and nobody misses it.
func isUsual(name string) bool {
	switch strings.ToLower(name) {
	case "host", "connection", "content-length", "transfer-encoding", "origin", "referer", "cookie", "x-csrf", "x-xsrf-token", "x-frontend", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest", "sec-fetch-user", "upgrade", "te", "expect":
		return true
	}
	return false
}

// outgoing shows what would go to the API. Nobody is signed in here, so that the
// token's header is shown by its name only.
func (e *explainer) outgoing() {
	c, r := &e.call, e.call.Route()
	if c.Decision.ByProgram {
		e.program()
		return
	}
	e.say("session", "%s; send_token: %v%s", r.Config.Session, r.SendToken, e.ticket())
	c.ID = []byte("(made for each call)")
	e.head()
	if r.SendToken && r.Session != routing.SessionNone {
		e.say("", "and, for a person who is signed in: %s", strings.Join(e.proxy.Carries(r), ", "))
	}
	e.heldBack()
	if c.Decision.BodyTooLarge {
		e.say("body", "%d bytes are announced; the route's max_body is %d", c.Request.Head.Length, r.Config.MaxBody)
		e.bodyTooLarge()
		return
	}
	e.unexplained()
}

// bodyTooLarge tells the answer to a body that is announced too large. The session is
// looked at first, and whether it lives only the store knows.
func (e *explainer) bodyTooLarge() {
	_, ticket := auth.Ticket(e.call.Request.Head, e.call.Frontend())
	p := problem.BodyTooLarge
	switch {
	case e.problem != nil: // no ticket where one is needed
	case ticket && e.call.Route().Session == routing.SessionRequired:
		e.say("answer", "if the session lives, %d %s; if it has ended, 401 session_expired", p.Status, p.Code)
		e.unexplained()
	default:
		e.refuse(p)
	}
}
