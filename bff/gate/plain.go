package gate

import (
	"crypto/tls"
	"errors"
	"net/http"
	"slices"
	"time"
)

// errPlain is a request that came unencrypted where TLS is spoken.
var errPlain = errors.New("plain HTTP to a listener that speaks TLS")

// plainRequest is the answer to it, as net/http and nginx have it. It goes out unencrypted.
var plainRequest = fix(http.StatusBadRequest, "bad_request", "The request is plain HTTP, and this port speaks HTTPS.", "")

// answerPlain answers a caller that took the listener for one of plain HTTP: a browser with
// http:// before the address, or a reverse proxy. Everything else that broke a connection off
// before its first request is nobody's to answer.
func answerPlain(c *Conn, err error) {
	var e tls.RecordHeaderError
	if !errors.As(err, &e) || e.Conn == nil || !beginsRequest(e.RecordHeader[:]) {
		return
	}
	plainRequest.report(c, errPlain)
	socket := e.Conn
	if socket.SetWriteDeadline(time.Now().Add(c.options().BodyIdle)) != nil {
		return
	}
	if _, err := socket.Write(plainRequest.bytes); err == nil {
		drain(socket) // or what was not read would turn the end into a reset
	}
}

// beginsRequest reports whether b, the five bytes of a TLS record's header, are rather the
// beginning of a request.
func beginsRequest(b []byte) bool {
	return slices.ContainsFunc(methods[:], func(method string) bool { return string(b) == (method + " /")[:len(b)] })
}
