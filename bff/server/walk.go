package server

import (
	"log/slog"
	"net"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
)

// serve is every request's walk, and what may come behind it: a tunnel, which has the
// connection until its end.
func (s *Server) serve(in *gate.Request) (goesOn bool) {
	goesOn, tunnel := s.walk(in)
	if tunnel != nil {
		tunnel(in.Conn())
	}
	return goesOn
}

// walk takes down the facts, decides, makes the reply and sends it.
func (s *Server) walk(in *gate.Request) (goesOn bool, tunnel func(net.Conn)) {
	e := acquire(s, in)
	defer e.abandon(&goesOn)
	e.begin(in)
	e.respond()
	if e.call.Reply.Upgrade != nil && e.call.Reply.Close {
		e.refuseDraining()
	}
	switch {
	case e.call.Reply.Upgrade != nil:
		goesOn, tunnel = e.sendUpgrade()
	case e.call.Decision.Kind == routing.Proxy:
		goesOn = e.send()
	default:
		goesOn = e.sendOwn()
	}
	e.release()
	return goesOn, tunnel
}

// refuseDraining puts the end of the process in place of the reply: a tunnel would begin
// where all others end.
func (e *exchange) refuseDraining() {
	e.call.Fail(problem.Draining, problem.Draining)
	e.common()
}

// begin takes down the facts of the request, and decides what it is for.
func (e *exchange) begin(in *gate.Request) {
	c, table := &e.call, e.snapshot.table
	table.Read(&c.Request, in.Head(), in.Conn().Peer().Addr())
	c.Begin(in, time.Now())
	e.server.beginSpan(c)
	table.Decide(&c.Request, &c.Decision)
}

// respond makes the reply: of the room that answers, and what every answer carries.
func (e *exchange) respond() {
	if err := e.answer(); err != nil {
		e.call.Fail(ProblemOf(err), err)
	}
	e.common()
}

// answer lets the room that the decision names fill in the reply.
func (e *exchange) answer() (err error) {
	defer e.contain(&err)
	c, sn := &e.call, e.snapshot
	if p := c.Decision.Problem; p != nil {
		if c.Decision.Stage == routing.AtFrontend || c.Decision.Stage == routing.AtGuard {
			e.server.guardRefused(c, p)
		}
		return refusal(&c.Decision)
	}
	switch c.Decision.Kind {
	case routing.Health:
		return e.server.health(c)
	case routing.Preflight:
		return preflight(c)
	case routing.Page:
		return sn.pages.Serve(c)
	case routing.Own:
		return sn.account.Serve(c)
	case routing.Proxy:
		return sn.proxy.Serve(c)
	}
	return problem.Internal // every kind is above
}

// refusal is the decision's problem, with its cause where that has several.
func refusal(d *routing.Decision) error {
	if d.Why == "" {
		return d.Problem
	}
	return d.Problem.Because(d.Why)
}

// health answers load balancers, which know no Host.
func (s *Server) health(c *call.Call) error {
	c.Reply.Header.Set("Cache-Control", "no-store")
	c.Reply.Empty(204)
	if s.leaving.Load() {
		c.Reply.Empty(503)
	}
	return nil
}

// preflightAge is how long a browser may remember a preflight, in seconds; it is
// Chromium's own limit.
const preflightAge = "7200"

// preflight tells what pages of a listed origin may send to this path.
func preflight(c *call.Call) error {
	methods, headers := c.Decision.Preflight()
	if c.Decision.Endpoint != nil {
		c.Own()
	}
	h := &c.Reply.Header
	h.Set("Access-Control-Allow-Methods", methods)
	h.Set("Access-Control-Allow-Headers", headers)
	h.Set("Access-Control-Max-Age", preflightAge)
	c.Reply.Empty(204)
	return nil
}

// common puts on the reply what every answer carries, and decides whether the
// connection goes on.
func (e *exchange) common() {
	c := &e.call
	h := &c.Reply.Header
	h.Set("X-Request-Id", string(c.ID))
	hsts(c, h)
	c.MarkProgram()
	cors(c, h)
	// A request body that is still being sent on belongs to the forwarder.
	if c.Reply.BodyOpen {
		c.In.Linger()
	}
	if e.server.draining.Load() || c.Reply.BodyOpen || !c.In.Finish() {
		c.Reply.Close = true
	}
	if c.Reply.Close && !c.In.IsLast() {
		c.In.Linger() // what follows already is no reason for a reset that overtakes the answer
	}
	c.Record.Status = c.Reply.Status
}

// hsts tells browsers that the host is called by https only.
func hsts(c *call.Call, h *call.Header) {
	if policy := c.Decision.HSTS(); policy != "" {
		h.Set("Strict-Transport-Security", policy)
	}
}

// cors lets pages of a listed origin read the answer.
func cors(c *call.Call, h *call.Header) {
	allowed := c.Decision.CORS(&c.Request)
	if allowed.Vary {
		h.Vary("Origin")
	}
	if allowed.AllowOrigin == nil {
		return
	}
	h.Set("Access-Control-Allow-Origin", string(allowed.AllowOrigin))
	h.Set("Access-Control-Allow-Credentials", "true")
	if allowed.ExposeHeaders != "" {
		h.Set("Access-Control-Expose-Headers", allowed.ExposeHeaders)
	}
}

// account counts the call, and leaves its one log line; now is the time. What it has done
// already it does not do again, also where it was a fault that ended it.
func (e *exchange) account(now time.Time) {
	c, s := &e.call, e.server
	level := slog.LevelInfo
	if c.Record.Status >= 500 || c.Faulted {
		level = slog.LevelError
	}
	if !e.counted {
		e.counted = true
		e.count(now)
		endSpan(c)
	}
	if !e.logged {
		s.logCall(e, level, now)
	}
}

// count counts the call: by its route, else by its frontend, and by its code.
func (e *exchange) count(now time.Time) {
	c := &e.call
	whole := c.Record.BeganAfter
	if whole == 0 {
		whole = now.Sub(c.Record.Begun)
	}
	switch {
	case c.Route() != nil:
		e.snapshot.routes[c.Route().Index].Call(c.Request.Head.Method, c.Record.Status, whole, c.Record.Upstream)
	case c.Frontend() != nil:
		e.snapshot.frontends[c.Frontend().Index].Call(c.Request.Head.Method, c.Record.Status, whole, 0)
	}
	if c.Program.Routed {
		e.server.metrics.Program(c.Frontend().Name, c.Program.Name, outcomeOf(c))
	}
	if c.Record.Code != "" {
		e.server.metrics.Refused(c.Record.Code)
	}
}

// outcomeOf is what became of a program's call.
func outcomeOf(c *call.Call) string {
	switch {
	case c.Record.Code != "":
		return c.Record.Code
	case c.Record.Upstream == 0:
		return "answered"
	}
	return "passed"
}
