package forward

import (
	"io"

	"coatcheck/bff/relay"
)

// worthPipe is how long a body must be at least to be moved without a copy.
const worthPipe = 256 << 10

// way is how the bytes of a body with a length come to the API: through pages, or from
// socket to socket where the body is a [relay.Source] and neither side has TLS.
type way struct {
	body   io.Reader
	source relay.Source // nil: pages only
	page   relay.Page
	pipe   relay.Pipe
}

func (u *upload) openWay() *way {
	w := &way{body: u.call.Body}
	if !u.conn.plain || u.call.BodyLength < worthPipe {
		return w
	}
	if source, ok := u.call.Body.(relay.Source); ok && w.pipe.Open() {
		w.source = source
	}
	return w
}

func (w *way) close() {
	w.page.Free()
	w.pipe.Free()
}

// read takes the next bytes, at most left; the last time it took had. p is nil where
// they are in the pipe.
func (w *way) read(had int, left int64) (n int, p []byte, err error) {
	if w.source != nil {
		if n, ok, err := w.source.Fill(&w.pipe, left); ok {
			return n, nil, err
		}
	}
	p = w.page.Next(had)
	n, err = w.body.Read(p[:min(int64(len(p)), left)])
	return n, p[:n], err
}
