package proxy

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/http1"
	"coatcheck/upstream/mapping"
)

// A load balancer in front of an API may keep a caller on one machine by a cookie. Such
// cookies, named by `sticky`, are kept here and never in the browser: in the session, so
// that all replicas send the same, and for calls without one in the process, by the
// address that calls.

const (
	// affinityEvery is how often a session's cookies are written at most, once it has
	// some: some balancers send another one with every answer. Meanwhile this process
	// knows the newest ones.
	affinityEvery = time.Minute
	// maxAffinity bounds what is kept of one API for one caller, in bytes.
	maxAffinity = 4 << 10
	// maxJar bounds how many callers are known: those without a session, and those whose
	// session has yet to be written.
	maxJar = 4096
)

// affinity are the cookies that keep a caller on one machine of an API: pairs as they
// stand in a Cookie line, and when they were kept.
type affinity struct {
	pairs string
	kept  time.Time
}

// name is where a session's credential has the cookies of an API. No mapping can name it.
func affinityName(upstream string) string { return "sticky." + upstream }

// read reads what seal wrote; the zero value where there is nothing.
func readAffinity(s credential.Secret) (a affinity) {
	stamp, pairs, ok := strings.Cut(s.Reveal(), " ")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil {
		return a
	}
	return affinity{pairs: pairs, kept: time.Unix(seconds, 0)}
}

func (a affinity) secret() credential.Secret {
	return credential.NewSecret(strconv.FormatInt(a.kept.Unix(), 10) + " " + a.pairs)
}

// sticking is a round trip to an API whose cookies choose among its replicas.
type sticking struct{ *roundTrip }

// affinity are the pairs that go to the API with this call.
func (x sticking) affinity() []byte {
	if len(x.target.sticky) == 0 {
		return nil
	}
	return []byte(x.keptAffinity().pairs)
}

// keptAffinity are the newest cookies that are known here. The store may have newer ones
// than this process, from another replica.
func (x sticking) keptAffinity() affinity {
	known := x.target.jar.get(x.jarKey())
	if x.who.Session == nil {
		return known
	}
	if stored := x.storedAffinity(); !stored.kept.Before(known.kept) {
		return stored
	}
	return known
}

func (x sticking) storedAffinity() affinity {
	return readAffinity(x.who.Session.Credential.Value(affinityName(x.call.Route().Upstream)))
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
	next := affinity{pairs: renewAffinity(old.pairs, x.answer.Fields, x.target.sticky, now), kept: now}
	if x.who.Session == nil {
		if next.pairs != old.pairs {
			x.target.jar.put(x.jarKey(), next)
		}
		return
	}
	stored := x.storedAffinity()
	switch {
	case next.pairs == stored.pairs && next.pairs == old.pairs:
	case stored.pairs == "" || next.pairs == "" || now.Sub(stored.kept) >= affinityEvery:
		x.target.jar.drop(x.jarKey())
		x.proxy.auth.Keep(x.call, &x.who, affinityName(x.call.Route().Upstream), next.secret())
	case next.pairs != old.pairs:
		x.target.jar.put(x.jarKey(), next)
	}
}

// renewAffinity is pairs with the cookies in their places that an answer sets or takes
// away, of those named.
func renewAffinity(pairs string, fields []http1.Field, named []string, now time.Time) string {
	values := map[string]string{}
	for pair := range strings.SplitSeq(pairs, "; ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			values[name] = value
		}
	}
	for i := range fields {
		if !http1.EqualFold(fields[i].Name, "set-cookie") {
			continue
		}
		c, err := http.ParseSetCookie(string(fields[i].Value))
		if err != nil || !slices.Contains(named, c.Name) {
			continue
		}
		switch {
		case c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && !c.Expires.After(now):
			delete(values, c.Name)
		case mapping.IsCredentialText([]byte(c.Value)):
			values[c.Name] = c.Value
		}
	}
	var b bytes.Buffer
	for _, name := range named {
		if value := values[name]; value != "" && b.Len()+len(name)+len(value) < maxAffinity {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(name + "=" + value)
		}
	}
	return b.String()
}

// jar has the cookies of callers without a session. A full one forgets somebody: a caller
// that is forgotten is sent to a machine anew.
type jar struct {
	mu   sync.Mutex
	kept map[string]affinity
}

func (j *jar) get(who string) affinity {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.kept[who]
}

func (j *jar) put(who string, a affinity) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.kept == nil {
		j.kept = map[string]affinity{}
	}
	if _, known := j.kept[who]; !known && len(j.kept) >= maxJar {
		for other := range j.kept {
			delete(j.kept, other)
			break
		}
	}
	j.kept[who] = a
}

func (j *jar) drop(who string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.kept, who)
}
