package server

import (
	"io"
	"time"

	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/bff/relay"
)

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
	ok = true // also after a panic: nothing else may go on with what is left
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

// trail keeps the trailers that were announced.
func (s *streamed) trail() {
	e := s.e
	trailers := e.call.Reply.Trailer()
	for i := range trailers {
		for _, name := range e.call.Reply.Trailers {
			if http1.EqualFoldBytes([]byte(name), trailers[i].Name) {
				e.trailers = append(append(append(e.trailers, name...), ": "...), trailers[i].Value...)
				e.trailers = append(e.trailers, '\r', '\n')
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
			e.accountFault()
			err = problem.Internal
		}
	}()
	r := &e.call.Reply
	err = r.CloseStream()
	if r.BodyOpen {
		e.call.In.Finish() // nobody reads it any more
	}
	r.Finish()
	e.account(time.Now())
	return err
}
