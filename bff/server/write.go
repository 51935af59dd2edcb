package server

import (
	"io"
	"net"
	"time"

	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/bff/relay"

	"github.com/valyala/fasthttp"
)

// write turns the reply into fasthttp's response. A reply without a stream is over
// here; one with a stream owns the exchange until the web server closes it.
func (e *exchange) write() {
	r, resp := &e.call.Reply, &e.ctx.Response
	resp.SetStatusCode(r.Status)
	e.writeFields(&resp.Header)
	if r.Close {
		resp.SetConnectionClose()
	}
	switch {
	case r.Upgrade != nil:
		e.upgrade()
	case r.Stream != nil:
		e.stream()
		return
	case r.Bodiless:
		if r.Length >= 0 {
			resp.Header.SetContentLength(int(r.Length))
		}
		resp.SkipBody = true
	default:
		resp.SetBody(r.Body) // a copy: the reply's body is free from here on
		if !e.call.Request.IsHead() {
			e.call.Record.BytesOut = int64(len(r.Body))
		}
	}
	r.Finish()
	e.finish()
}

func (e *exchange) writeFields(h *fasthttp.ResponseHeader) {
	fields := e.call.Reply.Header.Fields()
	for i := range fields {
		h.AddBytesKV(fields[i].Name, fields[i].Value)
	}
}

// upgrade hands the connection over behind a 101; its goroutine ends with the tunnel,
// and the web server closes the connection behind it.
func (e *exchange) upgrade() {
	tunnel := e.call.Reply.Upgrade
	e.ctx.Hijack(func(c net.Conn) { tunnel(c) })
}

// stream sends a body as it comes.
func (e *exchange) stream() {
	c := &e.call
	r := &c.Reply
	h := &e.ctx.Response.Header
	for _, name := range r.Trailers {
		_ = h.AddTrailer(name) // one that may not be a trailer is left out
	}
	c.Record.BeganAfter = time.Since(c.Record.Begun)
	body := &streamed{e}
	switch {
	case r.Length >= 0:
		e.ctx.Response.SetBodyStream(body, int(r.Length))
	case c.Request.Head.Minor == 0:
		e.takeOver(body, func(conn *gate.Conn) error {
			_, err := conn.ReadFrom(body)
			if err != nil {
				conn.Break() // an orderly end would say that this was all
			}
			return err
		})
		return
	case r.Events && !r.BodyOpen && len(r.Trailers) == 0:
		e.ctx.Response.Header.SetConnectionClose()
		e.ctx.Response.Header.SetContentLength(-1) // in chunks
		e.takeOver(body, func(conn *gate.Conn) error { return conn.WriteChunks(body) })
		return
	default:
		e.ctx.Response.SetBodyStream(chunked{body}, -1)
	}
	e.ctx.Response.ImmediateHeaderFlush = true
}

// takeOver takes the connection from the web server, and lets send have it for the body;
// it ends behind that. A caller of HTTP/1.0 knows no chunks, so that its body ends with
// the connection (RFC 9112 §6.3); the web server would send chunks to anybody. A stream
// of events needs less memory so: no writer's buffer, and no stack of the web server's.
func (e *exchange) takeOver(body *streamed, send func(*gate.Conn) error) {
	conn, ctx := e.call.In.Conn(), e.ctx
	if e.call.Request.Head.Minor == 0 {
		ctx.Response.Header.SetContentLength(-2) // until the connection ends
	}
	ctx.HijackSetNoResponse(true)
	s, id := e.server, string(e.call.ID)
	s.background.Add(1)
	ctx.Hijack(func(net.Conn) { // its goroutine ends with the body, or with a write's deadline
		defer s.background.Done()
		defer s.events().Contain(id)
		defer body.Close()
		done := false
		defer func() {
			if !done {
				conn.Break() // a fault
			}
		}()
		if _, err := conn.Write(ctx.Response.Header.Header()); err == nil {
			_ = send(conn)
		}
		done = true
	})
}

// streamed is a body on its way to the browser.
type streamed struct{ e *exchange }

// Read implements [io.Reader].
func (s *streamed) Read(p []byte) (n int, err error) {
	defer s.contain(&err)
	n, err = s.e.call.Reply.Stream.Read(p)
	s.e.call.Record.BytesOut += int64(n)
	if err == io.EOF && s.e.call.Reply.Trailer != nil {
		s.trail()
	}
	return n, err
}

// Fill implements [relay.Source], where the reply's stream does.
func (s *streamed) Fill(p *relay.Pipe, limit int64) (n int, ok bool, err error) {
	e := s.e
	source, is := e.call.Reply.Stream.(relay.Source)
	if !is {
		return 0, false, nil
	}
	defer s.contain(&err)
	n, ok, err = source.Fill(p, limit)
	e.call.Record.BytesOut += int64(n)
	return n, ok, err
}

// contain is deferred: after a panic the answer breaks off.
func (s *streamed) contain(err *error) {
	if recover() == nil {
		return
	}
	s.e.fault()
	s.e.call.Record.Code, s.e.call.Record.Cause = problem.Internal.Code, problem.Internal
	*err = problem.Internal
}

// chunked is a body of unknown length. It gives the web server larger pieces than that
// would read by itself.
type chunked struct{ *streamed }

// SupportsBodyWriteTo implements fasthttp's BodyWriterTo.
func (chunked) SupportsBodyWriteTo() bool { return true }

// WriteTo implements [io.WriterTo]: each write becomes a chunk, and is sent at once.
func (s chunked) WriteTo(w io.Writer) (total int64, err error) {
	var page relay.Page
	defer page.Free()
	for n := 0; ; {
		p := page.Next(n)
		n, err = s.Read(p)
		if n > 0 {
			if _, err := w.Write(p[:n]); err != nil {
				return total, err
			}
			total += int64(n)
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// trail hands the web server the trailers that were announced.
func (s *streamed) trail() {
	h := &s.e.ctx.Response.Header
	announced := h.PeekTrailerKeys()
	trailers := s.e.call.Reply.Trailer()
	for i := range trailers {
		for _, name := range announced {
			if http1.EqualFoldBytes(name, trailers[i].Name) {
				h.AddBytesKV(name, trailers[i].Value)
			}
		}
	}
}

// Close implements [io.Closer]: the answer is out, or the browser left. After an error
// the connection ends.
func (s *streamed) Close() (err error) {
	e := s.e
	if e == nil {
		return nil
	}
	s.e = nil
	defer func() {
		if recover() != nil {
			e.fault()
			e.letGo()
			err = problem.Internal
		}
	}()
	r := &e.call.Reply
	err = r.Stream.Close()
	if r.BodyOpen {
		e.call.In.Finish() // nobody reads it any more
	}
	r.Finish()
	e.finish()
	return err
}
