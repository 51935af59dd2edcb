package process

import (
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/metrics"
)

// readPrograms adds what is known of programs to the metrics.
func readPrograms(counts *metrics.Metrics, p *auth.Programs) {
	for _, r := range []metrics.Reading{
		{Name: "keys", Label: "caller", Help: "Keys of programs that this process knows, by caller.",
			Values: func() map[string]float64 { return keysByCaller(p.Keys.Entries()) }},
		{Name: "key_expires_seconds", Label: "caller", Help: "Time until the first key of a caller ends, in seconds; missing where none ends.",
			Values: func() map[string]float64 { return firstEnds(p.Keys.Entries(), time.Now()) }},
		{Name: "unverified_bytes", Help: "Bytes of bodies that are held until their signature is verified, now.",
			Values: func() map[string]float64 { return map[string]float64{"": float64(p.Budget.Used())} }},
		{Name: "caller_limit_degraded_total", Total: true, Help: "Calls of programs whose limit this process enforced alone, because the store was away.",
			Values: func() map[string]float64 { return one(p.Limits.Degraded()) }},
		{Name: "caller_limit_trips_total", Total: true, Help: "Questions to the store about callers' limits.",
			Values: func() map[string]float64 { return one(p.Limits.Trips()) }},
		{Name: "account_up", Label: "upstream", Second: "account", Help: "1 while this process has a token of an account that signs in by itself, 0 while the API refuses it or does not answer; missing until it is needed.",
			Values: func() map[string]float64 { return asNumbers(p.Accounts.Up()) }},
	} {
		counts.Read(r)
	}
}

func keysByCaller(keys []apikey.Entry) map[string]float64 {
	values := map[string]float64{}
	for _, e := range keys {
		values[e.Caller]++
	}
	return values
}

// firstEnds are the seconds until the first key of each caller ends. What has ended hides
// no other end.
func firstEnds(keys []apikey.Entry, now time.Time) map[string]float64 {
	values := map[string]float64{}
	for _, e := range keys {
		left := e.ExpiresAt.Sub(now).Seconds()
		if e.ExpiresAt.IsZero() || left <= 0 {
			continue
		}
		if first, known := values[e.Caller]; !known || left < first {
			values[e.Caller] = left
		}
	}
	return values
}

func asNumbers(up map[string]bool) map[string]float64 {
	values := map[string]float64{}
	for name, is := range up {
		values[name] = asNumber(is)
	}
	return values
}

func asNumber(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
