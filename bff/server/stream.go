package server

import (
	"io"
	"net"

	"coatcheck/bff/http1"
)

// passBody hands the body over: a small one at once, any other as it comes.
func (x *exchange) passBody() error {
	a := &x.answer
	bodyless := x.isHead || a.Status == 204 || a.Status == 304
	if bodyless {
		if a.Length >= 0 && a.Status != 204 {
			x.ctx.Response.Header.SetContentLength(int(a.Length))
		}
		x.ctx.Response.SkipBody = true
		return a.Close()
	}
	trailing := x.announceTrailers()
	if a.Complete != nil && !trailing || a.Length == 0 {
		x.ctx.Response.SetBody(a.Complete)
		x.bytesOut = int64(len(a.Complete))
		return a.Close()
	}
	t := &tether{abort: x.abort, hurry: x.request.Conn().Hurry}
	if contentType, _ := field(a.Fields, "content-type"); http1.HasPrefixFold(contentType, "text/event-stream") {
		if err := x.server.enterCrowd(x); err != nil {
			_ = a.Close()
			return err
		}
		t.events = new(events)
		x.set("X-Accel-Buffering", "no") // an nginx in front would hold events back
	}
	if err := x.tie(t); err != nil {
		_ = a.Close()
		return err
	}
	x.streaming = true
	x.server.metrics.Stream("stream", 1)
	body := &stream{x: x, tether: t, trailing: trailing}
	if x.head.Minor == 0 && a.Length < 0 {
		x.passToEnd(body)
		return nil
	}
	x.ctx.Response.SetBodyStream(body, int(a.Length))
	x.ctx.Response.ImmediateHeaderFlush = true
	return nil
}

// announceTrailers names those fields behind the API's body that may pass, and
// reports whether there are any. Only what the API's own Trailer field names can be
// sent on, because a browser must hear of it before; of that, what the rules for
// headers hold back is left out, and what would change the meaning of the answer's
// head afterwards (RFC 9110 §6.5.1), which the web server refuses to name.
func (x *exchange) announceTrailers() (some bool) {
	if x.answer.Length >= 0 || x.head.Minor == 0 {
		return false // no chunks, no trailers
	}
	h := &x.ctx.Response.Header
	for i := range x.answer.Fields {
		if f := &x.answer.Fields[i]; http1.EqualFold(f.Name, "trailer") {
			http1.Options(f.Value, func(name []byte) {
				if x.mayTrail(name) && h.AddTrailerBytes(name) == nil {
					some = true
				}
			})
		}
	}
	return some
}

// mayTrail reports whether a field of this name may stand behind a body.
func (x *exchange) mayTrail(name []byte) bool {
	if x.route.answer.holds(name) {
		return false
	}
	for _, special := range []string{"vary", "location", "content-security-policy", "content-security-policy-report-only"} {
		if http1.EqualFold(name, special) {
			return false
		}
	}
	var caching policy // what says how long an answer is kept is Coatcheck's to say, too
	return !caching.take(name, nil)
}

// passToEnd sends a body of unknown length to a caller of HTTP/1.0, who knows no
// chunks: it ends with the connection (RFC 9112 §6.3). The web server would send
// chunks to anybody, so that the connection is taken from it.
func (x *exchange) passToEnd(body *stream) {
	conn, ctx := x.request.Conn(), x.ctx
	ctx.Response.Header.SetContentLength(-2) // until the connection ends
	ctx.HijackSetNoResponse(true)
	s, id := x.server, string(x.requestID)
	s.background.Add(1)
	ctx.Hijack(func(net.Conn) { // its goroutine ends with the body, or with a write's deadline
		defer s.background.Done()
		defer s.contain(id)
		defer body.Close()
		whole := false
		defer func() {
			if !whole {
				conn.Break() // an orderly end would say that this was all
			}
		}()
		if _, err := conn.Write(ctx.Response.Header.Header()); err != nil {
			return
		}
		_, err := conn.ReadFrom(body)
		whole = err == nil
	})
}

// stream is the body of an answer on its way. It owns the exchange from the end of
// the handler on, and gives it back when the web server closes it.
type stream struct {
	x        *exchange
	tether   *tether
	trailing bool
}

func (s *stream) Read(p []byte) (n int, err error) {
	defer s.contain(&err)
	n, err = s.x.answer.Read(p)
	n = s.tether.pass(p[:n])
	s.x.bytesOut += int64(n)
	if err == io.EOF && s.trailing {
		s.trail()
	}
	if err != nil && err != io.EOF {
		s.x.cause = err
		s.x.code = "upstream_broken"
	}
	return n, err
}

// trail hands the web server the trailers that were announced.
func (s *stream) trail() {
	h := &s.x.ctx.Response.Header
	announced := h.PeekTrailerKeys()
	trailers := s.x.answer.Trailers()
	for i := range trailers {
		for _, name := range announced {
			if equalFold(name, trailers[i].Name) {
				h.AddBytesKV(name, trailers[i].Value)
			}
		}
	}
}

// contain is deferred: a fault of the program breaks the answer off.
func (s *stream) contain(err *error) {
	if recover() == nil {
		return
	}
	*err = errInternal
	if x := s.x; x != nil {
		x.server.fault(string(x.requestID))
		x.code, x.cause = errInternal.Code, errInternal
	}
}

// Close implements [io.Closer]: the answer went out, or the browser left. After an
// error the connection ends.
func (s *stream) Close() (err error) {
	if s.x == nil {
		return nil
	}
	x := s.x
	s.x = nil
	defer func() {
		if recover() != nil {
			x.server.fault(string(x.requestID))
			x.letGo()
			err = errInternal
		}
	}()
	_ = x.answer.Close()
	if x.call.Body != nil {
		x.request.Finish() // nobody reads it any more
	}
	x.log()
	x.release()
	return nil
}
