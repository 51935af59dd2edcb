// Package call holds one request on its way through the rooms, and the reply to it.
//
// A [Call] is made of values that are written once ([routing.Request],
// [routing.Decision]), of the [Reply] that the room which answers fills in, and of
// one thing that every room may write to: the [Record], of which the log line is made.
// It knows no web server; package server turns a Reply into bytes.
package call

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/bff/trace"
	"coatcheck/upstream/mapping"
)

// Call is one request and the reply to it. It is used again: nothing may hold it, or
// a part of it, once its reply is out.
type Call struct {
	// In is the request's body, and the connection it came on.
	In *gate.Request
	// Request and Decision are written once, before anything answers.
	Request  routing.Request
	Decision routing.Decision
	// Reply is filled in by the room that answers, Record by every room.
	Reply  Reply
	Record Record
	// Program is the program that calls.
	Program Program
	// ID names the call in logs and answers: 32 hexadecimal digits of ours, or what a
	// trusted proxy sent (X-Request-Id).
	ID []byte
	// Span is the call's part of a trace; nil: it is not traced.
	Span *trace.Span
	// Faulted says that a fault of the program was met: nothing that the call holds is used
	// for another one.
	Faulted bool

	idRoom [64]byte
}

// Begin makes the call one for the request in; the caller has filled in Request.
func (c *Call) Begin(in *gate.Request, begun time.Time) {
	c.In = in
	c.Record.Begun = begun
	c.Reply.Status = 200
	c.ID = c.chooseID()
}

// Reset forgets the request, and keeps the memory for the next one.
func (c *Call) Reset() {
	c.In, c.Span, c.ID, c.Faulted = nil, nil, nil, false
	c.Request = routing.Request{}
	c.Decision = routing.Decision{Forwarded: c.Decision.Forwarded[:0]}
	c.Record = Record{}
	c.Program = Program{}
	c.Reply.Reset()
}

// Frontend is the frontend that the call is for; nil: it is not known.
func (c *Call) Frontend() *routing.Frontend { return c.Decision.Frontend }

// Route is the route that the call takes; nil: none.
func (c *Call) Route() *routing.Route { return c.Decision.Route }

// chooseID takes a trusted proxy's ID, or makes one: 128 random bits. It names a call
// and guards nothing, so that a fast generator will do.
func (c *Call) chooseID() []byte {
	if c.Request.Trusted {
		if id, n := c.Request.Head.Get("x-request-id"); n == 1 && isID(id) {
			return append(c.idRoom[:0], id...)
		}
	}
	var raw [16]byte
	for i, r := 0, rand.Uint64(); i < 8; i++ {
		raw[i] = byte(r >> (8 * i))
	}
	for i, r := 0, rand.Uint64(); i < 8; i++ {
		raw[8+i] = byte(r >> (8 * i))
	}
	return hex.AppendEncode(c.idRoom[:0], raw[:])
}

func isID(id []byte) bool {
	if len(id) == 0 || len(id) > 64 {
		return false
	}
	for _, c := range id {
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// Caller is what an API learns of who calls.
func (c *Call) Caller() mapping.Caller {
	agent, _ := c.Request.Head.Get("user-agent")
	parent, _ := c.Span.Headers()
	return mapping.Caller{Program: c.Program.Name, ProgramKey: c.Program.Key, TraceParent: parent, Address: c.Request.Client, UserAgent: string(agent), RequestID: string(c.ID),
		ForwardedHost: string(c.Request.Authority), ForwardedProto: c.Frontend().Scheme}
}

// Ask begins the span of a request to the API called name, and says who calls.
func (c *Call) Ask(what, name string) (*trace.Span, mapping.Caller) {
	caller, span := c.Caller(), c.Span.Ask(what, name)
	if span != nil {
		caller.TraceParent, _ = span.Headers()
	}
	return span, caller
}

// detachedLimit bounds what is done for a browser that may have left meanwhile.
const detachedLimit = 45 * time.Second

// Detached is a context that no browser can cancel, for 45 seconds at most: a sign-in
// that an API accepted must be stored, or its token would live on unknown to anybody.
func Detached() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), detachedLimit)
}

// Own marks the reply as Coatcheck's own: never kept by a cache, never guessed at.
func (c *Call) Own() {
	h := &c.Reply.Header
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c.IsolateOrigin()
}

// IsolateOrigin lets only pages of the frontend's site load the reply (Fetch,
// "Cross-Origin-Resource-Policy").
func (c *Call) IsolateOrigin() {
	policy := "same-origin"
	if f := c.Frontend(); f != nil && f.Shared {
		policy = "same-site"
	}
	c.Reply.Header.Set("Cross-Origin-Resource-Policy", policy)
}

// Fail makes the reply a problem, in place of whatever was begun: a document for
// programs, a page for a person who opened the address. Status and Coatcheck-Error are
// the same. cause goes to the log only.
func (c *Call) Fail(p *problem.Problem, cause error) {
	c.Reply.Drop()
	c.Own()
	c.Record.Code, c.Record.Cause = p.Code, cause
	h := &c.Reply.Header
	h.Set("Coatcheck-Error", p.Code)
	if p.Allow != "" {
		h.Set("Allow", p.Allow)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", p.RetryAfterSeconds())
	}
	if p.Code == problem.Internal.Code {
		c.Reply.Close = true // nobody knows what state the fault left the connection in
	}
	if c.Request.Navigates() {
		c.showProblem(p)
		return
	}
	c.Reply.Bytes(p.Status, "application/problem+json", p.Document(string(c.ID)))
}

// showProblem makes the reply a page: a person opened the address, and would see JSON.
func (c *Call) showProblem(p *problem.Problem) {
	h := &c.Reply.Header
	h.Set("Content-Security-Policy", problem.PagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	o := problem.PageOptions{RequestID: string(c.ID)}
	if f := c.Frontend(); f != nil {
		o.Home = f.Home(c.Request.Host)
		o.Again = p.Code == problem.CrossSiteRequest.Code && c.Decision.OpensAgain(&c.Request)
	}
	c.Reply.Bytes(p.Status, "text/html; charset=utf-8", p.Page(o))
}
