package signin

import (
	"time"

	"coatcheck/upstream/mapping"
)

// oddEvery is how often, at most, an API's odd ends are logged.
const oddEvery = time.Hour

// tellOdd says that a response tells an end that makes no sense: it counts as not given, and
// sessions.max_lifetime bounds the session.
func (u *Upstream) tellOdd(x *Exchange, a *mapping.Response) {
	if len(a.Odd) == 0 {
		return
	}
	now, last := time.Now().UnixNano(), u.warned.Load()
	if age := now - last; last != 0 && age >= 0 && age < int64(oddEvery) || // a clock that was set back silences nothing
		!u.warned.CompareAndSwap(last, now) {
		return
	}
	u.log.Warn("the API gives an expiry that cannot be used, and that is ignored", "upstream", u.name, "exchange", x.Name, "value", a.Odd[0])
}
