// Package signin signs people in at the APIs that Coatcheck stands in front of, renews
// and ends what they got, by the mapping of the configuration and by nothing else: it is
// the control plane. The language of the mapping is package mapping; what is in here
// sends its requests. Everything is compiled once, by [New]; what can be wrong in a
// mapping shows there.
//
// A sign-in is: login's request, its response read by the rules, steps that follow,
// the credential, the user. Requests go through resty, one client per upstream, which
// keeps no cookies, follows no redirects and repeats nothing.
//
// Three fates beside success. A [mapping.Refusal] is the API's clear no.
// [upstream.ErrInvalid] is a response that cannot be used: it is never a person's fault.
// [upstream.ErrUnreachable] and [upstream.ErrTimeout] are no response;
// [upstream.ErrBusy] says that this process could not ask. No error holds a byte of a
// response, a URL's query or a secret. A [Trace] sees secrets; in service there is none.
package signin

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-resty/resty/v2"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

const defaultTimeout = 10 * time.Second

// Options are what the configuration does not say.
type Options struct {
	// UserAgent is what APIs see; "Coatcheck" by default.
	UserAgent string
	// Log hears what operators should know of an API's answers [nobody]. No line holds a
	// byte of one.
	Log *slog.Logger
}

// Set is all upstreams of one configuration. It is immutable; a reload makes a new one.
type Set struct{ upstreams map[string]*Upstream }

// Upstream is one API.
type Upstream struct {
	name    string
	agent   string
	log     *slog.Logger
	warned  atomic.Int64 // when the last line about an odd end was written, Unix nanoseconds
	address *upstream.Address
	dialer  *upstream.Dialer
	client  *resty.Client

	maxConns  int  // connections for calls; 0: the forwarder's default
	ownerOnly bool // a connection that was kept serves one person only

	sending
	closed mapping.ClosedPaths

	// Ways are how people get a credential here.
	Ways *Ways

	stale    Stale
	net      Net
	refresh  *refresh // nil where the mapping has none; as the next ones
	logout   *Exchange
	verify   *verify
	followed *mapping.Places
	accounts map[string]*Account // that sign in
}

// New compiles the upstreams of a configuration, and reads their certificates. It
// reports every fault that it finds; none of them holds a secret.
func New(cfg map[string]*configs.Upstream, o Options) (*Set, error) {
	if o.UserAgent == "" {
		o.UserAgent = "Coatcheck"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Set{upstreams: map[string]*Upstream{}}
	names := slices.Sorted(maps.Keys(cfg))
	var faults []error
	for _, name := range names {
		u, err := newUpstream(name, cfg[name], o)
		faults = append(faults, within(keypath.Child("upstreams", name), err))
		s.upstreams[name] = u
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for _, name := range names {
		faults = append(faults, within(keypath.Child("upstreams", name), s.compile(s.upstreams[name], cfg[name])))
	}
	if err := errors.Join(faults...); err != nil {
		s.Close()
		return nil, err
	}
	s.closeSignInPaths()
	for _, name := range names {
		s.hide(s.upstreams[name], cfg[name])
	}
	return s, nil
}

// within names the part of the configuration that an error is about.
func within(part string, err error) error {
	if err == nil {
		return nil
	}
	return &upstream.KeyError{Key: part, Err: err}
}

// newUpstream makes the upstream itself: where it is and how it is reached.
func newUpstream(name string, c *configs.Upstream, o Options) (*Upstream, error) {
	address, err := upstream.ParseURL(c.URL)
	if err != nil {
		return nil, err
	}
	address = address.Called(c.Host)
	d, err := newDialer(address, c)
	if err != nil {
		return nil, err
	}
	u := &Upstream{name: name, agent: o.UserAgent, log: o.Log, address: address, dialer: d, maxConns: c.MaxConnections, ownerOnly: c.Reuse == "person"}
	u.Ways = &Ways{up: u, byName: map[Way]*way{}}
	u.client = newClient(d, u.ownerOnly)
	u.closed = mapping.NewClosedPaths(address.Path)
	u.setSend(c)
	return u, nil
}

// compile reads the mapping of u. Other upstreams exist by now, so that requests
// can name them.
func (s *Set) compile(u *Upstream, c *configs.Upstream) error {
	m := &compiler{set: s, u: u, cfg: c, wire: map[string]bool{}}
	_, m.sendNamed = c.SendHeaders()
	m.carry(u.send.ValueNames())
	var unfit error
	u.stale, unfit = newStale(c.Stale)
	err := errors.Join(within("stale", unfit),
		m.compileLogin(), m.compileWays(),
		within("refresh", m.compileRefresh()), within("logout", m.compileLogout()), within("verify", m.compileVerify()),
		within("accounts", m.compileAccounts()))
	if err != nil {
		return err
	}
	u.net = u.newNet()
	if u.Ways.login != nil {
		u.followed = u.Ways.login.Places.Followed()
	}
	for _, path := range c.PrivatePaths {
		u.closed.CloseBelow("/" + path)
	}
	return nil
}

// Get returns the upstream called name, or nil.
func (s *Set) Get(name string) *Upstream { return s.upstreams[name] }

// Close closes idle connections. Calls at work end as they would have.
func (s *Set) Close() {
	for _, u := range s.upstreams {
		u.client.GetClient().Transport.(*http.Transport).CloseIdleConnections()
	}
}

// Closed finds the test for paths of an upstream that no route may reach: see
// [Upstream.Closed].
func (s *Set) Closed(name string) func(path []byte) bool { return s.Get(name).Closed }

// Name is the upstream's name in the configuration.
func (u *Upstream) Name() string { return u.name }

// CanSignIn reports whether people sign in here.
func (ws *Ways) CanSignIn() bool { return ws.login != nil }

// CanRefresh reports whether the mapping says how a token is renewed.
func (u *Upstream) CanRefresh() bool { return u.refresh != nil }

// CanSignOut reports whether the API is notified that a person signed out.
func (u *Upstream) CanSignOut() bool { return u.logout != nil }

// HasSteps reports whether a sign-in may need more than one answer from the person.
func (ws *Ways) HasSteps() bool {
	for _, w := range ws.all() {
		if len(w.steps) > 0 {
			return true
		}
	}
	return false
}

// CanVerify reports whether the API can be asked if a token still lives.
func (u *Upstream) CanVerify() bool { return u.verify != nil }

// Renews reports whether c can be renewed: there is a refresh, and c has the
// token that its request puts, which at some APIs is the access token itself.
func (u *Upstream) Renews(c *credential.Credential) bool {
	return u.refresh != nil && !c.Value(u.refresh.needs).IsEmpty()
}

// RefreshBefore is how much of a token's life is left when it is renewed.
func (u *Upstream) RefreshBefore() time.Duration {
	if u.refresh == nil {
		return 0
	}
	return u.refresh.before
}

// RefreshTimeout bounds a whole refresh.
func (u *Upstream) RefreshTimeout() time.Duration {
	if u.refresh == nil {
		return 0
	}
	return u.refresh.timeout
}

// VerifyAfter reports whether a proxied response of this status is a reason to ask
// [Upstream.Verify].
func (u *Upstream) VerifyAfter(status int) bool {
	return u.verify != nil && slices.Contains(u.verify.after, status)
}
