package proxy

import (
	"time"

	"coatcheck/bff/proxy/affinity"
)

// Cookies named by `sticky` are kept here and never in the browser: in the session, so that
// all replicas send the same, and for calls without one in the process, by the address that
// calls.

// affinityEvery is how often a session's cookies are written at most, once it has some:
// some balancers send another one with every answer. Meanwhile this process knows the
// newest ones.
const affinityEvery = time.Minute

// sticking is a round trip to an API whose cookies choose among its replicas.
type sticking struct{ *roundTrip }

// pairs are those that go to the API with this call.
func (x sticking) pairs() []byte {
	if len(x.target.sticky) == 0 {
		return nil
	}
	return []byte(x.keptAffinity().Pairs)
}

// keptAffinity are the newest cookies that are known here. The store may have newer ones
// than this process, from another replica.
func (x sticking) keptAffinity() affinity.Kept {
	known := x.target.jar.Get(x.jarKey())
	if x.who.Session == nil {
		return known
	}
	if stored := x.storedAffinity(); !stored.At.Before(known.At) {
		return stored
	}
	return known
}

func (x sticking) storedAffinity() affinity.Kept {
	return affinity.Read(x.who.Session.Credential.Value(affinity.Name(x.call.Route().Upstream)))
}

// jarKey is who calls: a session, a program, or an address.
func (x sticking) jarKey() string {
	switch {
	case x.who.Session != nil:
		return "session " + x.who.Session.ID
	case x.who.Caller != nil:
		return programOwner(x.roundTrip)
	}
	return x.call.Request.Client.String()
}

// keepAffinity takes the cookies that the API's answer sets.
func (x sticking) keepAffinity() {
	if len(x.target.sticky) == 0 {
		return
	}
	old, now := x.keptAffinity(), x.proxy.manager.Now()
	next := affinity.Kept{Pairs: affinity.Renew(old.Pairs, x.answer.Fields, x.target.sticky, now), At: now}
	if x.who.Session == nil {
		if next.Pairs != old.Pairs {
			x.target.jar.Put(x.jarKey(), next)
		}
		return
	}
	stored := x.storedAffinity()
	switch {
	case next.Pairs == stored.Pairs && next.Pairs == old.Pairs:
	case stored.Pairs == "" || next.Pairs == "" || now.Sub(stored.At) >= affinityEvery:
		x.target.jar.Drop(x.jarKey())
		x.proxy.auth.Keep(x.call, &x.who, affinity.Name(x.call.Route().Upstream), next.Secret())
	case next.Pairs != old.Pairs:
		x.target.jar.Put(x.jarKey(), next)
	}
}
