package forward

import (
	"errors"
	"hash/maphash"

	"coatcheck/upstream"
)

// Transport is a [Forwarder] behind a circuit breaker: while an API is down, calls fail
// at once instead of each waiting for its own deadline. Two things say that it is:
// connections that cannot be opened, and silence. A response is a sign of life whatever
// its status, also one that cannot be used. What this side lacks (a place in the pool,
// descriptors), a browser that leaves and a body that breaks say nothing of the API.
type Transport struct {
	*Forwarder
	silent silentPaths
}

// NewTransport makes a transport; changed, if set, is notified when the breaker opens or
// closes, and must not block.
func NewTransport(o Options, changed func(open bool)) (*Transport, error) {
	f, err := New(o)
	if err != nil {
		return nil, err
	}
	if changed == nil {
		changed = func(bool) {}
	}
	f.breaker = &breaker{changed: changed}
	return &Transport{Forwarder: f, silent: silentPaths{changed: changed, seed: maphash.MakeSeed()}}, nil
}

// TransportStats is what a transport counted since it was made, and how it is now.
type TransportStats struct {
	Stats
	BreakerOpen bool // calls that need a new connection, or a path that stayed silent, are refused
}

// Stats returns what has been counted, for metrics.
func (c *Transport) Stats() TransportStats {
	return TransportStats{c.Forwarder.Stats(), c.breaker.isOpen() || c.silent.isOpen()}
}

// Do is [Forwarder.Do]; while the breaker is open, it is [ErrOpen] for whatever needs a
// new connection, or asks for a path that is silent.
func (c *Transport) Do(call *Call, ans *Response) error {
	path := c.silent.path(call) // now, because Head is gone once it was sent
	if c.silent.refuses(path) {
		call.sent()
		return ErrOpen
	}
	err := c.Forwarder.Do(call, ans)
	switch {
	case err == nil, errors.Is(err, upstream.ErrInvalid):
		c.silent.answered()
	case errors.Is(err, errSilent):
		c.silent.unanswered(path)
	}
	return err
}
