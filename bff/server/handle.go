package server

import (
	"log/slog"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"

	"github.com/gofiber/fiber/v2"
)

// handle is the walk of every request: its facts, the decision, the room that answers,
// the headers that every answer carries, and the one log line.
func (s *Server) handle(fc *fiber.Ctx) error {
	ctx := fc.Context()
	conn, ok := ctx.Conn().(*gate.Conn)
	if !ok { // not a connection of ours: nothing is known of it
		ctx.SetConnectionClose()
		return fc.SendStatus(fiber.StatusInternalServerError)
	}
	e := acquire(s, ctx)
	defer e.abandon()
	c := &e.call
	e.snapshot.table.Read(&c.Request, conn.Request().Head(), conn.Peer().Addr())
	c.Begin(conn.Request(), time.Now())
	s.beginSpan(c)
	if err := e.answer(); err != nil {
		c.Fail(ProblemOf(err), err)
	}
	e.common()
	e.write()
	return nil
}

// answer lets the room that the decision names fill in the reply.
func (e *exchange) answer() (err error) {
	defer e.contain(&err)
	c, sn := &e.call, e.snapshot
	sn.table.Decide(&c.Request, &c.Decision)
	if p := c.Decision.Problem; p != nil {
		if c.Decision.Stage == routing.AtFrontend || c.Decision.Stage == routing.AtGuard {
			e.server.guardRefused(c, p)
		}
		return p
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
	if f := c.Frontend(); f != nil && f.HSTS != "" {
		h.Set("Strict-Transport-Security", f.HSTS)
	}
	c.MarkProgram()
	cors(c)
	// A request body that is still being sent on belongs to the forwarder.
	if c.Reply.BodyOpen {
		c.In.Linger()
	}
	if e.server.draining.Load() || c.Reply.BodyOpen || !c.In.Finish() {
		c.Reply.Close = true
	}
	c.Record.Status = c.Reply.Status
}

// cors lets pages of a listed origin read the answer.
func cors(c *call.Call) {
	h, allowed := &c.Reply.Header, c.Decision.CORS(&c.Request)
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

// finish leaves the one log line of the call, counts it, and lets go of it.
func (e *exchange) finish() {
	c, s := &e.call, e.server
	level := slog.LevelInfo
	if c.Record.Status >= 500 {
		level = slog.LevelError
	}
	e.count()
	endSpan(c)
	s.logCall(e, level)
	e.release()
}

// count counts the call: by its route, else by its frontend, and by its code.
func (e *exchange) count() {
	c := &e.call
	whole := c.Record.BeganAfter
	if whole == 0 {
		whole = time.Since(c.Record.Begun)
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
