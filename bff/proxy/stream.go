package proxy

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/bff/problem"
	"coatcheck/bff/relay"
	"coatcheck/upstream/forward"
)

// bodyPass is a round trip whose answer's body goes on to the browser.
type bodyPass struct{ *roundTrip }

// passBody hands the body over: a small one at once, any other as it comes.
func (x bodyPass) passBody() error {
	a, r := &x.answer, &x.call.Reply
	if x.call.Request.IsHead() || a.Status == 204 || a.Status == 304 {
		r.Bodiless, r.Length = true, a.Length
		if a.Status == 204 {
			r.Length = -1
		}
		x.endUpload()
		return nil
	}
	x.announceTrailers()
	if a.Complete != nil && len(r.Trailers) == 0 || a.Length == 0 {
		r.Body = x.endUpload()
		return nil
	}
	cancel := &streamCancel{abort: x.abort, hurry: x.call.In.Conn().Hurry}
	if contentType, _ := field(a.Fields, "content-type"); http1.HasPrefixFold(contentType, "text/event-stream") {
		cancel.events, r.Events = new(events), true
		r.Header.Set("X-Accel-Buffering", "no") // an nginx in front would hold events back
		if err := staying(x).takePlace(); err != nil {
			return err
		}
	}
	if err := staying(x).track(cancel); err != nil {
		return err
	}
	r.Stream, r.Length = &stream{x: x.roundTrip, cancel: cancel, counted: x.proxy.events.Metrics.Stream("stream")}, a.Length
	r.BodyOpen = x.out.Body != nil
	return nil
}

// endUpload returns the whole body of a small answer. Where the request's body is still
// on its way, the API has answered early: its reading ends here, because the server is
// about to look at what is left of it.
func (x bodyPass) endUpload() []byte {
	if x.out.Body == nil {
		return x.answer.Complete
	}
	body := bytes.Clone(x.answer.Complete) // closing gives its memory back
	_ = x.answer.Close()
	return body
}

// announceTrailers names those fields behind the API's body that may pass. Only what
// the API's own Trailer field names can be sent on, because a browser must hear of it
// before; of that, what the rules for headers hold back is left out, and what would
// change the meaning of the answer's head afterwards (RFC 9110 §6.5.1).
func (x bodyPass) announceTrailers() {
	if x.answer.Length >= 0 || x.call.Request.Head.Minor == 0 {
		return // no chunks, no trailers
	}
	r := &x.call.Reply
	for i := range x.answer.Fields {
		if f := &x.answer.Fields[i]; http1.EqualFold(f.Name, "trailer") {
			http1.EachListMember(f.Value, x.announceTrailer)
		}
	}
	if len(r.Trailers) > 0 {
		r.Trailer = x.trailers
	}
}

// announceTrailer names one of them, once.
func (x bodyPass) announceTrailer(name []byte) {
	r := &x.call.Reply
	isThis := func(other string) bool { return strings.EqualFold(other, string(name)) }
	if x.mayTrail(name, strings.ToLower(string(name))) && !slices.ContainsFunc(r.Trailers, isThis) {
		r.Trailers = append(r.Trailers, string(name))
	}
}

// trailers are the fields behind the body, without those that show what `send` put into
// the call.
func (x bodyPass) trailers() []http1.Field {
	return slices.DeleteFunc(x.answer.Trailers(), func(f http1.Field) bool { return showsSent(x.roundTrip, f.Value) })
}

// headOnly are fields that say how the body is to be read, where to go, or who may: behind
// it they come too late (RFC 9110 §6.5.1). Others are changed on their way in a head.
var headOnly = map[string]bool{
	"age": true, "authorization": true, "content-disposition": true, "content-encoding": true, "content-location": true, "content-range": true,
	"content-security-policy": true, "content-security-policy-report-only": true, "content-type": true, "cookie": true, "expect": true, "expires": true,
	"host": true, "link": true, "location": true, "max-forwards": true, "proxy-authorization": true, "range": true, "retry-after": true, "vary": true,
}

// mayTrail reports whether a field of this name, as it came and in lower case, may stand
// behind a body.
func (x bodyPass) mayTrail(name []byte, lower string) bool {
	if _, inHead := field(x.answer.Fields, lower); inHead > 0 || x.target.answer.Holds(name) {
		return false // a field of the head would move behind the body
	}
	if headOnly[lower] || contains(connectionNames(nil, x.answer.Fields), name) || x.proven && lower == "dpop-nonce" {
		return false
	}
	var caching policy // what says how long an answer is kept is Coatcheck's to say, too
	return !caching.consume(name, nil)
}

// stream is the body of an answer on its way.
type stream struct {
	x       *roundTrip // nil: closed, and another call's by now
	cancel  *streamCancel
	counted *metrics.Stream
}

// Read implements [io.Reader].
func (s *stream) Read(p []byte) (n int, err error) {
	n, err = s.x.answer.Read(p)
	n = s.cancel.pass(p[:n])
	s.note(err)
	return n, err
}

// Fill implements [relay.Source]. Events are read: where one ends must be known.
func (s *stream) Fill(p *relay.Pipe, limit int64) (n int, ok bool, err error) {
	if s.cancel.events != nil {
		return 0, false, nil
	}
	n, ok, err = s.x.answer.Fill(p, limit)
	s.note(err)
	return n, ok, err
}

// errCut is why a stream ended that [streamCancel] has ended.
var errCut = errors.New("stream ended with its session, the proof of its caller, or the process")

// note takes note of a body that broke off, and of who is to blame: the API only where
// nobody here has aborted the call.
func (s *stream) note(err error) {
	r := &s.x.call.Record
	switch {
	case err == nil || err == io.EOF:
	case !errors.Is(err, forward.ErrAborted):
		r.Cause, r.Code = err, "upstream_broken"
	case s.cancel.isCut():
		r.Cause = errCut
	default:
		r.Cause, r.Code = err, problem.BrowserLeft.Code
	}
}

// Close implements [io.Closer]: the answer is out, or the browser left. What the stream
// holds of others is freed by [roundTrip.giveBack], which the reply calls afterwards.
func (s *stream) Close() error {
	x := s.x
	if x == nil {
		return nil
	}
	s.x = nil
	s.counted.Close()
	return x.answer.Close()
}
