package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// userSource is where a person is described: in the sign-in's response, in a JWT, or
// at an address of its own.
type userSource struct {
	mapping.Person
	token   *mapping.Place // of a JWT in the sign-in's response; nil: the access token
	jwt     bool           // claims of a token
	request *request       // nil: not asked for
	timeout time.Duration
	stale   Stale
}

// userSource compiles where a way's person is described; nil: nowhere.
func (m *compiler) userSource(c *configs.User) (*userSource, error) {
	if c == nil {
		return nil, nil
	}
	subject, named := c.SubjectPointer()
	s := &userSource{stale: m.u.stale, Person: mapping.Person{At: c.At, Subject: subject, SubjectNamed: named},
		jwt: c.From == "jwt", token: c.Token, timeout: orDefault(c.Timeout, defaultTimeout)}
	failed := [3]error{mapping.Join(s.Faults())}
	if c.Token != nil {
		failed[1] = mapping.Join(c.Token.Faults())
	}
	if c.From == "request" {
		s.request, failed[2] = m.request(&mapping.Request{Path: c.Path}, http.MethodGet, m.u.send)
	}
	return s, errors.Join(failed[:]...)
}

// read returns the user and what names the person. a is the sign-in's response, and
// places are what the credential was extracted from there: they are cut out of what is
// kept.
func (s *userSource) read(ctx context.Context, places *mapping.Places, a *mapping.Response, v *mapping.Values) (map[string]json.RawMessage, string, error) {
	doc, err := s.document(ctx, a, v)
	if err != nil {
		return nil, "", err
	}
	object, subject, err := s.Find(doc)
	traceOf(ctx).described(s, doc, object, err)
	if err != nil {
		return nil, "", err
	}
	if !s.jwt && s.request == nil {
		places.Cut(doc)
	}
	return mapping.Encoded(object, v.Credential), subject, nil
}

// document returns the whole document that the user is in.
func (s *userSource) document(ctx context.Context, a *mapping.Response, v *mapping.Values) (any, error) {
	switch {
	case s.jwt:
		claims, err := mapping.TokenClaims(s.token, a, v.Credential)
		return claims, err
	case s.request == nil:
		return a.Body, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	own, err := s.request.roundTrip(ctx, v)
	if err != nil {
		return nil, err
	}
	if s.stale.Matches(own) {
		return nil, fmt.Errorf("%w: status %d", ErrTokenDead, own.Status)
	}
	if own.Status < 200 || own.Status > 299 {
		return nil, mapping.Invalid("status %d", own.Status)
	}
	return own.Body, nil
}

// describes reports whether a response describes a person at all, by their subject. c is
// what came with it.
func (s *userSource) describes(a *mapping.Response, c *credential.Credential) bool {
	if s.request != nil {
		return true
	}
	doc := a.Body
	if s.jwt {
		claims, err := mapping.TokenClaims(s.token, a, c)
		if err != nil {
			return false
		}
		doc = claims
	}
	_, subject, err := s.Find(doc)
	return err == nil && subject != ""
}
