package server

import (
	"bufio"
	"errors"
	"sync"
	"time"

	"coatcheck/bff/call"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// contexts are what Fiber works on; writers gather what it has made.
var (
	contexts = sync.Pool{New: func() any { return new(fasthttp.RequestCtx) }}
	writers  = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 16<<10) }}
)

// exchangeKey is the key under which a context holds its exchange.
type exchangeKey struct{}

// newOwn makes the Fiber application for what Coatcheck answers itself. It reads nothing
// from a connection: the gate has done that.
func newOwn() fasthttp.RequestHandler {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, CaseSensitive: true, StrictRouting: true,
		ErrorHandler: func(*fiber.Ctx, error) error { return nil }, // write fails with none
	})
	app.Use(func(c *fiber.Ctx) error {
		e := c.Context().UserValue(exchangeKey{}).(*exchange)
		e.write(&c.Context().Response)
		return nil
	})
	return app.Handler()
}

// sendOwn writes the reply to the connection, through Fiber. A call without a stream is
// counted and logged before: whoever has the answer finds it there.
func (e *exchange) sendOwn() (goesOn bool) {
	ctx, out := contexts.Get().(*fasthttp.RequestCtx), writers.Get().(*bufio.Writer)
	conn, streams := e.in.Conn(), e.call.Reply.Stream != nil
	goesOn = !e.call.Reply.Close && !e.in.IsLast()
	ctx.Init2(conn, nil, true)
	ctx.SetUserValue(exchangeKey{}, e)
	e.server.own(ctx)
	if !streams { // else its end does it
		e.call.Reply.Finish() // its body was copied
		e.account(time.Now())
	}
	e.sent = true // some of it may be out
	out.Reset(conn)
	err := ctx.Response.Write(out)
	if swallowed := (*fasthttp.ErrBodyStreamWritePanic)(nil); errors.As(err, &swallowed) {
		panic("fasthttp recovered it, and takes a fault for an error of the stream") // see abandon
	}
	if err != nil || out.Flush() != nil {
		goesOn = false
	}
	ctx.Init2(nil, nil, true)
	ctx.ResetUserValues()
	ctx.Response.Reset()
	out.Reset(nil)
	contexts.Put(ctx)
	writers.Put(out)
	return goesOn
}

// write turns the reply into Fiber's response.
func (e *exchange) write(resp *fasthttp.Response) {
	r, head := &e.call.Reply, e.call.Request.IsHead()
	resp.Header.DisableNormalizing()
	resp.Header.SetNoDefaultContentType(true)
	resp.SetStatusCode(r.Status)
	writeFields(&resp.Header, r)
	switch {
	case r.Close || e.in.IsLast():
		resp.SetConnectionClose()
	case e.call.Request.Head.Minor == 0:
		resp.Header.Set("Connection", "keep-alive")
	}
	switch {
	case r.Stream != nil: // a file; its length is known
		e.call.Record.BeganAfter = time.Since(e.call.Record.Begun)
		resp.SetBodyStream(&streamed{e}, int(r.Length))
		resp.ImmediateHeaderFlush = true
	case r.Bodiless:
		if r.Length >= 0 {
			resp.Header.SetContentLength(int(r.Length))
		}
		resp.SkipBody = true
	default:
		resp.SetBody(r.Body)
		if !head {
			e.call.Record.BytesOut = int64(len(r.Body))
		}
	}
	resp.SkipBody = resp.SkipBody || head
}

func writeFields(h *fasthttp.ResponseHeader, r *call.Reply) {
	fields := r.Header.Fields()
	for i := range fields {
		h.AddBytesKV(fields[i].Name, fields[i].Value)
	}
}
