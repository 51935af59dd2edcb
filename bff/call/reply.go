package call

import (
	"encoding/json"
	"io"
	"net"

	"coatcheck/bff/http1"
)

// Reply is the answer to a call. The room that answers fills it in; package server
// sends it.
type Reply struct {
	// Status is 200 unless it is said otherwise.
	Status int
	// Header is the fields, without framing.
	Header Header
	// Body is the whole body, unless there is a Stream.
	Body []byte
	// Stream is a body that comes as it comes; the server closes it, exactly once, when
	// the answer is out or the browser left.
	Stream io.ReadCloser
	// Events says that the Stream is one of events, which may last for hours.
	Events bool
	// Length of the Stream in bytes; -1: unknown.
	Length int64
	// Bodiless says that there is no body (HEAD, 204, 304): Length is what a body would
	// have, -1 where that is not said.
	Bodiless bool
	// Close ends the connection behind the answer.
	Close bool
	// Trailers are the names of fields that may come behind the Stream, and Trailer
	// hands them over at its end.
	Trailers []string
	Trailer  func() []http1.Field
	// BodyOpen reports that the request's body is still being sent on behind the answer;
	// the connection ends with it.
	BodyOpen bool
	// Finally, if set, is called exactly once, when the reply was rendered, or its Stream
	// closed, or it was dropped: what Body and Header point to is then free.
	Finally func()
	// Upgrade, behind a 101, takes the connection over; the connection ends with it.
	Upgrade func(net.Conn)
}

// Reset makes the reply an empty one for the next request.
func (r *Reply) Reset() {
	*r = Reply{Status: 200, Header: Header{fields: r.Header.fields[:0], room: r.Header.room[:0]}}
}

// Drop takes back whatever was begun, closing the Stream.
func (r *Reply) Drop() {
	defer r.Reset()
	defer r.Finish() // also where closing ends in a panic
	_ = r.CloseStream()
}

// CloseStream closes the Stream, unless that was done.
func (r *Reply) CloseStream() error {
	s := r.Stream
	if s == nil {
		return nil
	}
	r.Stream = nil
	return s.Close()
}

// Finish calls Finally, unless that was done.
func (r *Reply) Finish() {
	if f := r.Finally; f != nil {
		r.Finally = nil
		f()
	}
}

// Bytes makes the reply status with a body that Coatcheck wrote.
func (r *Reply) Bytes(status int, contentType string, body []byte) {
	r.Status, r.Body = status, body
	r.Header.Set("Content-Type", contentType)
}

// Empty makes the reply one without a body.
func (r *Reply) Empty(status int) {
	r.Status, r.Body, r.Stream = status, nil, nil
}

// JSON makes the reply a document of Coatcheck's own.
func (c *Call) JSON(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.Own()
	c.Reply.Bytes(status, "application/json", b)
	return nil
}
