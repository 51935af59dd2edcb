package auth

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/bff/signature"
	"coatcheck/configs"
)

// proven is what a signature proved.
type proven struct {
	once     string
	remember time.Duration
}

// bySignature looks at the head of a call for everybody who may have signed it.
func (k *Callers) bySignature(c *call.Call, p *Principal) error {
	open := &Caller{}
	seen := signedCall(c, nil)
	var refused error
	allowed := 0
	for _, name := range c.Route().Programs.Callers {
		who := k.byName[name]
		if who.verifier == nil || who.refuses(c) != "" {
			continue
		}
		allowed++
		limit, err := who.verifier.Head(seen, time.Now())
		if err != nil {
			refused = clearer(refused, err)
			continue
		}
		open.signers = append(open.signers, who)
		open.limit = max(open.limit, limit)
	}
	switch {
	case len(open.signers) > 0:
		p.Caller = open
		return nil
	case nobody(c):
		return notAuthenticated(c)
	case refused != nil:
		return k.refuseSignature(c, refused)
	case c.Decision.Signed && allowed == 0:
		return k.notAllowed(c, "not one of the signers' methods or addresses")
	}
	return k.unknown(c, "no proof came")
}

// clearer is the error that says more: that a proof is wrong, rather than that none came.
func clearer(a, b error) error {
	if a == nil || errors.Is(a, signature.NoProof) {
		return b
	}
	return a
}

// nobody reports that a call to a route of people brought no proof in its head: nobody
// says that a program calls.
func nobody(c *call.Call) bool {
	return c.Route().Session == routing.SessionRequired && !c.Decision.Signed
}

// notAuthenticated answers as to a person without a session.
func notAuthenticated(c *call.Call) error {
	c.Program = call.Program{}
	return problem.NotAuthenticated
}

func (k *Callers) refuseSignature(c *call.Call, err error) error {
	switch {
	case nobody(c) && signature.WithoutProof(err):
		return notAuthenticated(c)
	case errors.Is(err, signature.NoProof):
		return k.unknown(c, err.Error())
	case errors.Is(err, signature.TooLarge):
		return problem.BodyTooLarge.Because(err.Error())
	}
	k.note(c, "invalid", err.Error())
	return problem.SignatureInvalid.Because(err.Error())
}

// Verify finds out who signed a call, now that its body is here. A call that is a
// handshake is answered by the reply that is returned, and goes no further. Otherwise
// the call may be an event that came before: then again is true, and it is answered
// without the API. Errors: problems, [store.ErrUnavailable].
func (k *Callers) Verify(c *call.Call, p *Principal, body []byte) (reply *signature.Reply, again bool, err error) {
	seen := signedCall(c, body)
	var refused error
	now := time.Now()
	for _, who := range p.Caller.signers {
		reply, err := who.verifier.Handshake(seen, now)
		if reply != nil {
			c.Program.Name, c.Program.Proof = who.name, configs.BySignature
			return reply, false, nil
		}
		if err != nil {
			refused = clearer(refused, err)
			continue
		}
		found, err := who.verifier.Verify(seen, now)
		if err == nil {
			again, err = k.signedBy(c, p, who, found)
			return nil, again, err
		}
		refused = clearer(refused, err)
	}
	return nil, false, k.refuseSignature(c, refused)
}

// signedBy takes note of who signed. Its limit counts proven calls only, so that no
// stranger can use it up.
func (k *Callers) signedBy(c *call.Call, p *Principal, who *caller, found signature.Proven) (again bool, err error) {
	c.Program.Name, c.Program.Proof = who.name, configs.BySignature
	p.Caller = &Caller{Name: who.name, Account: who.config.Account, proven: proven{found.Once, found.Remember}}
	if err := k.count(c, who); err != nil {
		return false, err
	}
	return k.begin(context.Background(), c, p.Caller)
}

// signedCall is what a scheme sees of a call.
func signedCall(c *call.Call, body []byte) *signature.Call {
	h := c.Request.Head
	length := h.Length
	switch {
	case h.Chunked:
		length = -1
	case length < 0:
		length = 0
	}
	return &signature.Call{Method: string(h.Method), Target: string(h.Target), Base: base(c), Header: h, Body: body, Length: length}
}

// base is the address that a provider knows the frontend by.
func base(c *call.Call) string {
	f := c.Frontend()
	if known := f.Config.KnownBase(); known != "" {
		return known
	}
	return f.Scheme + "://" + string(c.Request.Authority) // one that a pattern means
}
