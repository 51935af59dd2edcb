package server

import (
	"context"
	"errors"

	"coatcheck/bff/session"
)

// serve is the walk of every request, from top to bottom: each check is a line, the
// first that fails answers, and none hides in a middleware. What is malformed never
// comes this far (package gate).
func (s *Server) serve(x *exchange) error {
	var ok bool
	if x.target, ok = parseTarget(x.head.Target); !ok || x.target.encodedSlash && !x.snapshot.encodedSlash {
		return errBadPath
	}
	h := x.snapshot.hosts[string(x.host)]
	if h == nil {
		return errUnknownHost
	}
	f, p := h.choose(x)
	if p != nil {
		s.refusedByGuard(x, p.Code)
		return p
	}
	x.enter(f)
	if x.target.encodedSlash && (x.route == nil || x.route.config.EncodedSlash != "pass") {
		return errBadPath
	}
	if x.isPreflight() {
		return x.preflight()
	}
	if x.isPage() {
		return s.page(x) // documents and their files: whoever follows a link may see them
	}
	if x.route == nil || x.route.config.Guard || x.isHandshake() {
		if p := guard(x.ask()); p != nil {
			s.refusedByGuard(x, p.Code)
			return p
		}
	}
	switch {
	case x.endpoint != nil:
		return s.local(x)
	case x.route != nil:
		return s.proxy(x)
	}
	return errNotFound
}

// proxy takes a guarded call to its API and the answer back.
func (s *Server) proxy(x *exchange) error {
	r := x.route
	if x.forwarded = r.appendPath(x.forwarded[:0], x.target.path); isDoubleSlash(r.base, x.forwarded) {
		return errBadPath
	}
	if r.up.Closed(string(x.forwarded)) {
		return errNotFound // a page could mint itself a token there
	}
	if !allows(r.methods, x.head.Method) {
		return errMethod.with(func(p *Problem) { p.Allow = r.allow })
	}
	if x.isHandshake() {
		if err := s.checkHandshake(x); err != nil {
			return err
		}
		x.joinProtocols()
	}
	if err := s.person(x); err != nil {
		return err
	}
	if r.config.MaxBody > 0 && x.request.BodyLength() > int64(r.config.MaxBody) {
		return errTooLarge
	}
	if x.isHandshake() {
		if err := s.enterCrowd(x); err != nil {
			return err
		}
	}
	if err := x.prepareBody(); err != nil {
		return err
	}
	if err := s.forward(x); err != nil {
		return err
	}
	return s.passAnswer(x)
}

// person finds out whose call it is, and sees to it that the token is fresh.
func (s *Server) person(x *exchange) error {
	if x.route.session == sessionNone {
		return nil
	}
	x.readTicket()
	if !x.hasTicket {
		if x.route.session == sessionOptional {
			return nil
		}
		return errNotAuthenticated
	}
	found, err := s.manager.Find(context.Background(), x.frontend.name, x.ticket)
	if err == nil {
		found, err = s.fresh(x, found)
	}
	var dead session.Dead
	if errors.As(err, &dead) && x.route.session == sessionOptional {
		return nil // as if nobody were signed in
	}
	x.session = found
	return err
}

// forward sends the call and reads the answer's head. An upstream's 401 is taken as
// word that the token may be stale: the call is repeated once with a new one.
func (s *Server) forward(x *exchange) error {
	if err := s.exchangeOnce(x); err != nil {
		return err
	}
	if x.answer.Status == 401 && x.maySecond() {
		renewed, err := s.renewAfter401(x)
		if err != nil {
			return err
		}
		if renewed != nil {
			x.session = renewed
			_ = x.answer.Close()
			if err := s.exchangeOnce(x); err != nil {
				return err
			}
		}
	}
	return s.heed(x)
}

// isDoubleSlash reports whether the path on the wire would begin with "//", which
// reads as a host (RFC 3986 §4.2).
func isDoubleSlash(base string, path []byte) bool {
	return base == "" && len(path) > 1 && path[0] == '/' && path[1] == '/'
}
