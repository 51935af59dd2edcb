// Package proxy takes a guarded call to its API and the answer back: the hot path.
//
// [Proxy.Serve] reads from top to bottom: who calls, the body, the call, what the API
// says of the token, the answer. What goes to the API is written in outgoing.go, and what
// comes back in incoming.go; which headers may pass, package headers says. How an answer
// may be kept stands in caching.go; how a stream ends before its time, in cancel.go; a
// WebSocket, once it is open, is a [tunnel.Tunnel].
//
// Nothing here knows a web server: the answer goes into [call.Reply].
package proxy

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy/affinity"
	"coatcheck/bff/routing"
	"coatcheck/bff/serviceaccount"
	"coatcheck/bff/session"
	"coatcheck/bff/trace"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
	"coatcheck/upstream/signin"
)

// Options are what a Proxy is made of. All are required.
type Options struct {
	// Config and Table are of one configuration, which Upstreams was made of.
	Config    *configs.Config
	Table     *routing.Table
	Upstreams *signin.Set
	// Manager keeps the sessions, Auth finds whose a call is, and Events is told what
	// matters for security.
	Manager *session.Manager
	Auth    *auth.Auth
	Events  call.Events
	// Open are the streams and tunnels of the process.
	Open *Open
	// Draining reports that the process is ending.
	Draining *atomic.Bool
}

// Proxy forwards the calls of one configuration.
type Proxy struct {
	config     *configs.Config
	manager    *session.Manager
	auth       *auth.Auth
	events     call.Events
	open       *Open
	draining   *atomic.Bool
	bodyIdle   time.Duration // limits.body_idle
	tokenTold  call.Pace     // of lines about tokens in answers
	targets    []*target     // by route
	transports map[string]*forward.Transport
	jars       map[string]*affinity.Jar
	provers    provers
	rules      map[string]rules // by the names that they are made of
}

// New makes a Proxy. Nothing is dialled yet.
func New(o Options) (*Proxy, error) {
	p := &Proxy{config: o.Config, manager: o.Manager, auth: o.Auth, events: o.Events, open: o.Open, draining: o.Draining,
		bodyIdle: o.Config.Limits.BodyIdle, transports: map[string]*forward.Transport{}, jars: map[string]*affinity.Jar{}, rules: map[string]rules{}}
	if err := p.addTargets(o); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends the idle connections to the APIs; calls at work finish.
func (p *Proxy) Close() {
	for _, c := range p.transports {
		c.Close()
	}
}

// roundTrip is one call on its way to the API and back. It is used again; nothing may
// hold it once its reply is out.
type roundTrip struct {
	proxy  *Proxy
	call   *call.Call
	target *target
	who    auth.Principal
	// account and carried are what a program's call goes out with; nil: the constants of
	// send alone.
	account *serviceaccount.Token // nil: the token is the file's, or there is none
	carried *credential.Credential

	out     forward.Call
	answer  forward.Response
	span    *trace.Span        // of the question to the API; nil: it is not traced
	leave   func()             // gives the place of a long-lived stream back; nil: it has none
	untrack func()             // ends the tracking of a stream; nil: it is not tracked
	abort   func()             // ends out; made once
	release func()             // gives the roundTrip back; made once
	sent    func()             // freeHead; made once
	faulted func(stack []byte) // logs a panic on another goroutine; made once
	proven  bool               // the token that was sent is bound, and had a proof
	head    *[]byte            // the head that goes to the API; nil: it was sent
	small   []byte             // a request body held for a repetition
}

var roundTrips = sync.Pool{New: func() any { return new(roundTrip) }}

func (p *Proxy) begin(c *call.Call) *roundTrip {
	x := roundTrips.Get().(*roundTrip)
	if x.abort == nil {
		x.abort, x.release, x.sent = x.out.Abort, x.giveBack, x.freeHead
		x.faulted = func(stack []byte) { x.proxy.events.Fault(string(x.call.ID), stack) }
	}
	x.proxy, x.call, x.target = p, c, p.targets[c.Route().Index]
	c.Reply.Finally = x.release
	return x
}

// giveBack is called once the reply is out, or was dropped.
func (x *roundTrip) giveBack() {
	free(x)
	if x.call.Faulted {
		return // it may still be in use: it serves no other call
	}
	x.answer.Release()
	x.proxy, x.call, x.target, x.untrack, x.leave = nil, nil, nil, nil, nil
	x.who, x.span, x.proven = auth.Principal{}, nil, false
	x.account, x.carried = nil, nil
	x.out.Reset()
	roundTrips.Put(x)
}

// free gives back what a call holds of others: each part, also where the giving back of
// another ends in a panic.
func free(x *roundTrip) {
	defer x.answer.Close() //nolint:errcheck // it returns nil
	defer once(&x.leave)
	defer once(&x.untrack)
	defer x.call.In.Conn().Idle() // from here on nobody aborts the call
	if x.who.Caller != nil {
		x.proxy.auth.Callers.Finish(&x.who, 0) // nothing, where the API has answered
	}
}

// once calls what is to be called once, and forgets it before.
func once(f *func()) {
	if call := *f; call != nil {
		*f = nil
		call()
	}
}

// Serve takes a call to its API and the answer back. What a request can be refused for by
// itself, [routing.Table.Decide] has checked; here it is asked who calls, and whether what
// the call needs is to be given: its body read, an account's token, a place for what stays
// open. Only then is anything sent.
func (p *Proxy) Serve(c *call.Call) error {
	if c.Decision.Handshake && p.draining.Load() {
		return problem.Draining
	}
	x := p.begin(c)
	if err := p.auth.Identify(c, &x.who); err != nil {
		return err
	}
	if c.Decision.BodyTooLarge { // behind Identify: whoever is not signed in hears that first
		return problem.BodyTooLarge.Because("more than max_body is announced")
	}
	if answered, err := x.takeBody(); answered || err != nil {
		return err
	}
	if err := x.takeAccount(); err != nil {
		return err
	}
	if c.Decision.Handshake {
		if err := (staying{x}).takePlace(); err != nil {
			return err
		}
	}
	if err := x.forward(); err != nil {
		return err
	}
	return incoming{x}.pass()
}

// takeBody makes the body ready to be sent. The one of a call that may be signed is read
// whole, since only then is known who calls; then the reply may be made already.
func (x *roundTrip) takeBody() (answered bool, err error) {
	if limit, is := x.who.Unverified(); is {
		return signedCall{x}.proveSigned(limit)
	}
	return false, x.prepareBody()
}

// forward sends the call and reads the answer's head. An answer that calls the token
// dead, 401 or what the mapping calls stale, is taken as word that it may be: it is
// renewed, and the call repeated once where it can be.
func (x *roundTrip) forward() error {
	if err := x.ask(); err != nil {
		return x.devServerAway(err)
	}
	renewed, err := x.afterRefusal()
	if err != nil {
		return x.devServerAway(err)
	}
	if x.who.Caller != nil {
		x.proxy.auth.Callers.Finish(&x.who, x.answer.Status)
	}
	sticking{x}.keepAffinity()
	if x.who.Session == nil || x.token() == nil || !x.meansSignIn() {
		return nil
	}
	again, err := x.proxy.auth.AfterAnswer(x.call, &x.who, x.answer.Status, x.lines, renewed)
	if err == nil && again && x.mayRenew() && x.out.Body == nil {
		return x.repeat()
	}
	return err
}

// afterRefusal renews what the call was refused with, a person's token or an account's,
// and repeats the call. It reports whether there was a new token.
func (x *roundTrip) afterRefusal() (bool, error) {
	if x.account == nil {
		return x.afterStale()
	}
	if x.answer.Status != 401 {
		return false, nil
	}
	again, err := x.renewAccount()
	if err == nil && again {
		err = x.repeat()
	}
	return again, err
}

// afterStale renews a token that the answer calls dead, and repeats the call. It reports
// whether there was a new token.
func (x *roundTrip) afterStale() (bool, error) {
	cause := ""
	if x.mayRenew() {
		cause = x.staleness()
	}
	if cause == "" || stepUp(x.answer.Fields) != "" {
		return false, nil
	}
	repeatable := x.out.Body == nil
	renewed, err := x.proxy.auth.AfterStale(x.call, &x.who, cause, repeatable)
	if err != nil || !renewed || !repeatable {
		return renewed, err
	}
	if err = x.repeat(); err == nil && !x.target.exchanges && x.staleness() != "" {
		x.proxy.auth.NotHelped(&x.who)
	}
	return true, err
}

// repeat sends the call once more, with the token that the person has now.
func (x *roundTrip) repeat() error {
	_ = x.answer.Close()
	return x.ask()
}

// mayRenew reports whether an answer may be reason to renew the token: the call carried
// one, a session was required, and it can be renewed.
func (x *roundTrip) mayRenew() bool {
	return x.who.Session != nil && x.call.Route().Session == routing.SessionRequired && x.token() != nil &&
		(x.target.exchanges || x.proxy.auth.Method(x.call.Frontend(), x.who.Session).Renews(x.who.Credential()))
}

// meansSignIn reports whether the API that was called is the one that signed the
// person in: only what that one says of the token counts.
func (x *roundTrip) meansSignIn() bool { return x.target.up == x.proxy.auth.API(x.call.Frontend()) }

// ask sends the call, and once more where the API wants its nonce in the proof: then it
// has done nothing yet. A body that streams is gone, and cannot be sent again; the next
// call has the nonce.
func (x *roundTrip) ask() error {
	if err := x.send(); err != nil || !x.proven {
		return err
	}
	if !x.wantsNonce() {
		return nil
	}
	if x.out.Body != nil {
		return problem.UpstreamNonce.Because("the API wants a nonce in the proof, and the body cannot be sent again")
	}
	_ = x.answer.Close()
	if err := x.send(); err != nil {
		return err
	}
	if x.wantsNonce() {
		return fmt.Errorf("%w: the API refuses the DPoP nonce that it gave", upstream.ErrInvalid)
	}
	return nil
}
