package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
)

// SignedIn is what a sign-in brought: a credential and a person, or a step that
// the person must take first.
type SignedIn struct {
	// Credential is never nil, unless there is a Step or it is Accepted.
	Credential *credential.Credential
	// Subject identifies the person permanently. It is empty where the mapping names no
	// subject and the API's user has none in the usual place, or where there is no
	// user at all: nobody then is the same person as anybody else.
	Subject string
	// User is what the API says about the person, without what the credential
	// was taken from; nil where the mapping has no user.
	User map[string]json.RawMessage
	// Step is what must be done next; the other fields are then empty.
	Step *Pending
	// Accepted says that the API took what was sent, and gives no credential for it yet:
	// [mapping.Accepted]. The other fields are then empty.
	Accepted bool
	// Same says that an exchange's answer describes nobody: the person stays as they are.
	Same bool
}

// SignIn asks the API to sign a person in with fields, which go on unchanged. now
// is the time that ends are counted from.
//
// It fails with a *[mapping.Refusal], [upstream.ErrInvalid], [upstream.ErrUnreachable], [upstream.ErrTimeout], or
// [context.Canceled] where ctx was.
func (ws *Ways) SignIn(ctx context.Context, fields map[string]credential.Secret, c mapping.Caller, now time.Time) (*SignedIn, error) {
	return ws.SignInBy(ctx, Way{}, &mapping.Values{Fields: fields, Caller: c}, now)
}

// SignInBy is [Ways.SignIn] by any way. v has the fields and, for an exchange, the
// session's credential.
func (ws *Ways) SignInBy(ctx context.Context, by Way, v *mapping.Values, now time.Time) (*SignedIn, error) {
	w := ws.find(by)
	if w == nil {
		return nil, ws.up.wrap(by.String(), mapping.Invalid("the mapping has no such way"))
	}
	return ws.walk(ctx, w, w.Exchange, v, now)
}

// maxWalk bounds how many exchanges one call makes: a mapping whose steps lead in
// a circle must end.
const maxWalk = 5

// walk makes an exchange and the steps after it that run by themselves.
func (ws *Ways) walk(ctx context.Context, w *way, x *Exchange, v *mapping.Values, now time.Time) (*SignedIn, error) {
	for range maxWalk {
		a, next, err := x.try(ctx, v)
		if isAccepted(err) {
			return &SignedIn{Accepted: true}, nil
		}
		if err != nil {
			return nil, ws.up.wrap(x.Name, err)
		}
		if next == "" {
			done, err := ws.finish(ctx, w, x, a, v, now)
			return done, ws.up.wrap(x.Name, err)
		}
		s := w.steps[next]
		kept, err := mapping.Keep(s.keeps, a, v.Kept)
		if err == nil && len(s.fields) > 0 && w.exchanges {
			err = mapping.Invalid("an exchange asks the person nothing more")
		}
		if err != nil {
			return nil, ws.up.wrap(x.Name, err)
		}
		if len(s.fields) > 0 {
			return &SignedIn{Step: &Pending{Name: next, Fields: s.fields, Kept: kept}}, nil
		}
		v = &mapping.Values{Credential: v.Credential, Kept: kept, Fields: v.Fields, Caller: v.Caller} // the page is still here, so what it sent is known
		x = s.Exchange
	}
	return nil, ws.up.wrap(x.Name, mapping.Invalid("steps do not end"))
}

// isAccepted reports whether an answer was taken without a credential.
func isAccepted(err error) bool {
	var refusal *mapping.Refusal
	return errors.As(err, &refusal) && refusal.Meaning == mapping.Accepted
}

// try asks once, within the exchange's own time, and reads the response by its rules.
func (x *Exchange) try(ctx context.Context, v *mapping.Values) (*mapping.Response, string, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	a, err := x.request.roundTrip(ctx, v)
	if err != nil {
		return nil, "", err
	}
	a.To(v)
	next, err := x.Rules.Read(a, func(name string) bool { return x.isField(name, v) })
	traceOf(ctx).decided(x, a, next, err)
	return a, next, err
}

// isField reports whether a page sends, or could have sent, a field of that name.
func (x *Exchange) isField(name string, v *mapping.Values) bool {
	_, sent := v.Fields[name]
	_, isKept := v.Kept[name]
	return sent || !isKept && !mapping.IsBuiltIn(name) && slices.Contains(x.request.Names(), name)
}

// finish extracts the credential from a, and the user from wherever it is.
func (ws *Ways) finish(ctx context.Context, w *way, x *Exchange, a *mapping.Response, v *mapping.Values, now time.Time) (*SignedIn, error) {
	given, err := x.Places.Extract(a, now)
	traceOf(ctx).extracted(x, a, given, err)
	ws.up.tellOdd(x, a)
	if err != nil {
		return nil, err
	}
	done := &SignedIn{Credential: given}
	if w.user == nil {
		done.Same = w.exchanges
		return done, nil
	}
	asking := &mapping.Values{Credential: given, Fields: v.Fields, Caller: v.Caller}
	if w.exchanges && v.Credential != nil {
		asking.Credential = v.Credential.Renew(given)
		if w.userInherited && !w.user.describes(a, asking.Credential) {
			done.Same = true
			return done, nil
		}
	}
	done.User, done.Subject, err = w.user.read(ctx, x.Places, a, asking)
	if err != nil {
		return nil, fmt.Errorf("user: %w", err)
	}
	return done, nil
}

// wrap says which upstream and which exchange an error is about. A refusal stays
// as it is: it is an answer, not a fault.
func (u *Upstream) wrap(what string, err error) error {
	var refusal *mapping.Refusal
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return fmt.Errorf("upstream %s: %s: %w", u.name, what, err)
}

// UserJSON is the user as one JSON object, its keys sorted; nil where there is none.
func (s *SignedIn) UserJSON() []byte {
	if s.User == nil {
		return nil
	}
	return mapping.Encode(s.User)
}
