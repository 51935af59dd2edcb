package proxy

import (
	"bytes"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

const (
	// glance bounds a body that is looked at for tokens on a route that does not block
	// them, in bytes.
	glance = 16 << 10
	// glancePatience is how long the rest of such a body is waited for. Many servers send
	// head and body in two writes; what takes longer goes on as it comes.
	glancePatience = 100 * time.Millisecond
)

// catchTokens looks at an answer for what seems to be a token of this API: a page that
// reads one holds what it must never hold, and the session does not learn of it. It is
// logged and counted, or, with block_tokens, refused.
func (in incoming) catchTokens() error {
	net := in.target.up.Net()
	block := in.call.Route().Config.BlockTokens
	if len(net.Marks()) == 0 || !block && !in.mayHold(net) {
		return nil
	}
	document, ok := in.document()
	if block && !ok && in.isUnreadable() {
		return problem.TokenInAnswer.Because("the answer is in a content coding that cannot be read")
	}
	if !ok || !net.Catches(document, in.who.Credential()) {
		return nil
	}
	outcome := "passed"
	if block {
		outcome = "blocked"
	}
	in.tellToken(outcome)
	if block {
		return problem.TokenInAnswer.Because("its body holds what looks like a token")
	}
	return nil
}

// mayHold reports whether a small answer could hold a token.
func (in incoming) mayHold(net *signin.Net) bool {
	a := &in.answer
	kind, _ := field(a.Fields, "content-type")
	if !isJSON(kind) || a.Length > glance || in.call.Request.IsHead() || !a.Gather(glancePatience) {
		return false
	}
	body := a.Complete
	if len(body) == 0 || len(body) > glance {
		return false
	}
	for _, mark := range net.Marks() {
		if bytes.Contains(body, []byte(mark)) {
			return true
		}
	}
	return false
}

// isUnreadable reports whether the answer is JSON in a content coding that was not asked for.
func (in incoming) isUnreadable() bool {
	kind, _ := field(in.answer.Fields, "content-type")
	coding, codings := field(in.answer.Fields, "content-encoding")
	return isJSON(kind) && codings > 0 && !http1.EqualFold(coding, "gzip") && !http1.EqualFold(coding, "identity")
}

// tellToken counts, and logs one a second at most.
func (in incoming) tellToken(outcome string) {
	c, e := in.call, in.proxy.events
	e.Metrics.Event(c.Frontend().Name, "token_passed", outcome)
	if !in.proxy.tokenTold.IsDue(time.Now(), call.EventInterval) {
		return
	}
	e.Log.Warn("security", "event", "token_passed", "outcome", outcome, "request_id", string(c.ID),
		"frontend", c.Frontend().Name, "route", c.Route().Prefix, "session", c.Record.Session)
}

// leastShown is the length under which a value is too common to be looked for.
const leastShown = 8

// showsSent reports whether a header of the answer repeats a value that `send` put into
// the query or a cookie. An API shows it in links and in headers for debugging; a page has
// no use for it, and must not learn it.
func showsSent(x *roundTrip, value []byte) bool {
	send := x.target.up.Send()
	if len(send.Query) == 0 && len(send.Cookies) == 0 {
		return false
	}
	return shows(send.Query, x.token(), value) || shows(send.Cookies, x.token(), value)
}

// shows reports whether text repeats a value that one of the templates takes from the
// credential.
func shows(templates mapping.Headers, c *credential.Credential, text []byte) bool {
	for i := range templates {
		for _, name := range templates[i].Value.Names() {
			sent, _ := mapping.SecretText(c.Value(name))
			if len(sent) >= leastShown && bytes.Contains(text, []byte(sent)) {
				return true
			}
		}
	}
	return false
}
