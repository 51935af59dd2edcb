// Package affinity has the cookies by which a load balancer in front of an API keeps a
// caller on one machine: what an answer makes of them, and a jar for those of this process.
package affinity

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

const (
	// maxPairs bounds what is kept of one API for one caller, in bytes.
	maxPairs = 4 << 10
	// maxJar bounds how many callers are known.
	maxJar = 4096
)

// Kept are the cookies that keep a caller on one machine of an API: pairs as they stand in
// a Cookie line, and when they were kept.
type Kept struct {
	Pairs string
	At    time.Time
}

// Name is where a session's credential has the cookies of an API. No mapping can name it.
func Name(upstream string) string { return "sticky." + upstream }

// Read reads what [Kept.Secret] wrote; the zero value where there is nothing.
func Read(s credential.Secret) (k Kept) {
	stamp, pairs, ok := strings.Cut(s.Reveal(), " ")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil {
		return k
	}
	return Kept{Pairs: pairs, At: time.Unix(seconds, 0)}
}

// Secret is k as it lies in a session.
func (k Kept) Secret() credential.Secret {
	return credential.NewSecret(strconv.FormatInt(k.At.Unix(), 10) + " " + k.Pairs)
}

// Renew is pairs with the cookies in their places that an answer sets or takes
// away, of those named.
func Renew(pairs string, fields []http1.Field, named []string, now time.Time) string {
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
		if value := values[name]; value != "" && b.Len()+len(name)+len(value) < maxPairs {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(name + "=" + value)
		}
	}
	return b.String()
}

// Jar has the cookies of callers without a session, and those that a session has yet to be
// written with. A full one forgets somebody: a caller
// that is forgotten is sent to a machine anew.
type Jar struct {
	mu   sync.Mutex
	kept map[string]Kept
}

// Get is what is kept for a caller.
func (j *Jar) Get(who string) Kept {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.kept[who]
}

// Put keeps k for a caller.
func (j *Jar) Put(who string, k Kept) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.kept == nil {
		j.kept = map[string]Kept{}
	}
	if _, known := j.kept[who]; !known && len(j.kept) >= maxJar {
		for other := range j.kept {
			delete(j.kept, other)
			break
		}
	}
	j.kept[who] = k
}

// Drop forgets a caller.
func (j *Jar) Drop(who string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.kept, who)
}
