package server

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/gate"
)

// joined is how large a body in memory is copied behind its head, so that both leave in one
// piece; larger ones are handed to the kernel beside it.
const joined = 16 << 10

// outputs are buffers for answers on their way out.
var outputs = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// send writes the reply to the connection, and reports whether that may go on.
func (e *exchange) send() (goesOn bool) {
	conn, r := e.in.Conn(), &e.call.Reply
	r.Close = r.Close || e.in.IsLast() || r.Stream != nil && isUntilEnd(e)
	goesOn, send := !r.Close, e.sendWhole
	if r.Stream != nil {
		send = e.sendStream
	}
	return send(conn) == nil && goesOn
}

// sendUpgrade sends a 101, and returns the tunnel that goes on behind it.
func (e *exchange) sendUpgrade() (goesOn bool, tunnel func(net.Conn)) {
	tunnel = e.call.Reply.Upgrade
	if e.sendWhole(e.in.Conn()) != nil {
		return false, nil
	}
	return false, tunnel
}

// sendWhole sends a reply that is wholly in memory. The call is counted and logged before:
// whoever has the answer finds it there.
func (e *exchange) sendWhole(conn *gate.Conn) error {
	out, now := outputs.Get().(*[]byte), time.Now()
	defer outputs.Put(out)
	r, body := &e.call.Reply, []byte(nil)
	*out = appendHead((*out)[:0], r, e.call.Request.Head.Minor, now)
	if !r.Bodiless && !e.call.Request.IsHead() {
		body = r.Body
		e.call.Record.BytesOut = int64(len(body))
	}
	if len(body) <= joined {
		*out = append(*out, body...)
		body = nil
		r.Finish() // what the body lay in is free
	}
	e.account(now)
	e.sent = true // some of it may be out
	err := gate.Send(conn, now, *out, body)
	r.Finish()
	return err
}

// sendStream sends a body as it comes, its head at once. The exchange is over then.
func (e *exchange) sendStream(conn *gate.Conn) error {
	body := &streamed{e}
	err := e.sendBody(conn, body)
	if failed := body.Close(); err == nil {
		err = failed
	}
	return err
}

func (e *exchange) sendBody(conn *gate.Conn, body *streamed) (err error) {
	r := &e.call.Reply
	out, now := outputs.Get().(*[]byte), time.Now()
	e.call.Record.BeganAfter = now.Sub(e.call.Record.Begun)
	*out = appendHead((*out)[:0], r, e.call.Request.Head.Minor, now)
	e.sent = true // some of it may be out
	err = gate.Send(conn, now, *out, nil)
	outputs.Put(out)
	if err != nil {
		return err
	}
	switch {
	case r.Length >= 0:
		return sendLength(conn, body, r.Length)
	case isUntilEnd(e):
		if _, err = conn.ReadFrom(body); err != nil {
			conn.Break() // an orderly end would say that this was all
		}
		return err
	}
	return conn.WriteChunks(body, &e.trailers)
}

// sendLength sends a body of so many bytes; with less the connection ends.
func sendLength(conn *gate.Conn, body io.Reader, length int64) error {
	rest := &io.LimitedReader{R: body, N: length}
	if _, err := conn.ReadFrom(rest); err != nil {
		return err
	}
	if rest.N > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// isUntilEnd reports whether a stream ends with the connection: a caller of HTTP/1.0 knows
// no chunks (RFC 9112 §6.3).
func isUntilEnd(e *exchange) bool {
	return e.call.Reply.Length < 0 && e.call.Request.Head.Minor == 0
}

// appendHead appends an answer's head: the status line, Date, the fields of the reply, and
// its framing, which no reply's fields hold. minor is the caller's version.
func appendHead(b []byte, r *call.Reply, minor int, now time.Time) []byte {
	b = appendDate(appendStatus(b, r.Status), now)
	fields := r.Header.Fields()
	for i := range fields {
		b = append(append(append(b, fields[i].Name...), ": "...), fields[i].Value...)
		b = append(b, '\r', '\n')
	}
	switch {
	case r.Stream != nil && r.Length < 0 && minor == 1:
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
		b = appendTrailerNames(b, r.Trailers)
	case r.Stream != nil || r.Bodiless:
		b = appendLength(b, r.Status, r.Length)
	default:
		b = appendLength(b, r.Status, int64(len(r.Body)))
	}
	switch {
	case r.Close:
		b = append(b, "Connection: close\r\n"...)
	case minor == 0:
		b = append(b, "Connection: keep-alive\r\n"...)
	}
	return append(b, '\r', '\n')
}

// appendAnswer appends a whole answer.
func appendAnswer(b []byte, r *call.Reply, now time.Time) []byte {
	return append(appendHead(b, r, 1, now), r.Body...)
}

// appendLength appends Content-Length, where the answer has one: it is known, and the status
// allows it (RFC 9110 §8.6).
func appendLength(b []byte, status int, n int64) []byte {
	if n < 0 || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified {
		return b
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), n, 10)
	return append(b, '\r', '\n')
}

func appendTrailerNames(b []byte, names []string) []byte {
	for i, name := range names {
		if i == 0 {
			b = append(b, "Trailer: "...)
		} else {
			b = append(b, ", "...)
		}
		b = append(b, name...)
	}
	if len(names) > 0 {
		b = append(b, '\r', '\n')
	}
	return b
}

// statusLines are made once: by status, less 100.
var statusLines = func() (made [500]string) {
	for i := range made {
		made[i] = "HTTP/1.1 " + strconv.Itoa(100+i) + " " + http.StatusText(100+i) + "\r\n"
	}
	return made
}()

// appendStatus appends the status line. What an API says lies between 100 and 599 (package
// http1), and so does what Coatcheck says.
func appendStatus(b []byte, status int) []byte { return append(b, statusLines[status-100]...) }

// dateLine is a Date field (RFC 9110 §6.6.1), good for one second.
type dateLine struct {
	second int64
	text   []byte
}

var lastDate atomic.Pointer[dateLine]

func appendDate(b []byte, now time.Time) []byte {
	d := lastDate.Load()
	if second := now.Unix(); d == nil || d.second != second {
		text := now.UTC().AppendFormat([]byte("Date: "), http.TimeFormat)
		d = &dateLine{second, append(text, '\r', '\n')}
		lastDate.Store(d)
	}
	return append(b, d.text...)
}
