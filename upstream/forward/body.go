package forward

import (
	"errors"
	"io"

	"coatcheck/bff/http1"
	"coatcheck/bff/relay"
)

var errClosedResponse = errors.New("upstream: read of a closed response")

// Read implements [io.Reader] for the body, also where Complete has it. io.EOF
// comes only behind a complete body; one that breaks off is io.ErrUnexpectedEOF,
// [upstream.ErrUnreachable], [upstream.ErrTimeout], [upstream.ErrInvalid] or [ErrAborted].
func (a *Response) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(a.hand) > 0 {
		n := copy(p, a.hand)
		a.hand = a.hand[n:]
		return n, nil
	}
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.readWire(p)
	if err != nil {
		a.err = a.call.classifyBody(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, a.err
}

// readWire reads what is not yet at hand.
func (a *Response) readWire(p []byte) (int, error) {
	if a.framing == noBody || a.framing == byLength && a.left == 0 {
		return 0, io.EOF
	}
	c := a.conn
	c.reader.Release() // holds no page while it waits
	if err := c.roll(orDuration(a.call.IdleTimeout, defaultBodyIdle)); err != nil {
		return 0, err
	}
	switch a.framing {
	case byChunks:
		return a.parts.chunks.Read(p)
	case byLength:
		n, err := c.reader.Read(p[:min(int64(len(p)), a.left)])
		a.left -= int64(n)
		if err == io.EOF && a.left > 0 {
			err = io.ErrUnexpectedEOF
		}
		return n, err
	}
	return c.reader.Read(p)
}

// Fill implements [relay.Source]: of a body with a length on a plain connection, whose
// bytes were not read yet.
func (a *Response) Fill(p *relay.Pipe, limit int64) (n int, ok bool, err error) {
	if a.err != nil || a.framing != byLength || a.left == 0 || len(a.hand) > 0 {
		return 0, false, nil
	}
	c := a.conn
	if !c.plain || c.reader.Len() > 0 {
		return 0, false, nil
	}
	c.reader.Release()
	if err = c.roll(orDuration(a.call.IdleTimeout, defaultBodyIdle)); err == nil {
		n, ok, err = p.Fill(c.raw, min(limit, a.left))
		if err == nil && !ok {
			return 0, false, nil
		}
	}
	a.left -= int64(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		a.err = a.call.classifyBody(err)
	}
	return n, true, a.err
}

// Trailers are the fields behind a chunked body (RFC 9110 §6.5), once Read said
// io.EOF or Complete is there. They are valid until Close.
func (a *Response) Trailers() []http1.Field {
	if a.framing != byChunks || !a.parts.chunks.Done() {
		return nil
	}
	return a.parts.chunks.Trailers()
}
