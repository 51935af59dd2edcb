package command

import (
	"strings"

	"coatcheck/bff/auth"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
)

// program tells which program calls, and what would go to the API.
func (e *explainer) program() {
	c := &e.call
	c.ID = []byte("(made for each call)")
	lines, refused := e.auth.ExplainProgram(c, e.body)
	for _, line := range lines {
		e.say("caller", "%s", line)
	}
	if refused != nil {
		e.refuse(refused)
		return
	}
	e.head()
	if c.Decision.BodyTooLarge {
		e.refuse(problem.BodyTooLarge)
		return
	}
	e.say("note", "Not shown: the account's token, limits, events that came before, and how the API is doing.")
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
	e.heldBack()
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
