package main

import (
	"coatcheck/bff/metrics"
	"coatcheck/bff/session"
)

// newMetrics makes the process's counters, those of its sessions among them.
func newMetrics(m *session.Manager) *metrics.Metrics {
	counts := metrics.New(version, buildCommit())
	for _, c := range []struct {
		name, help string
		total      bool
		value      func(session.Stats) float64
	}{
		{"near_cache_hits_total", "Sessions found in the near cache.", true, func(s session.Stats) float64 { return float64(s.NearHits) }},
		{"near_cache_misses_total", "Sessions that the store was asked for.", true, func(s session.Stats) float64 { return float64(s.NearMisses) }},
		{"session_touches_total", "Extensions of idle times that were written.", true, func(s session.Stats) float64 { return float64(s.Touches) }},
		{"refreshes_total", "Renewed credentials that were written.", true, func(s session.Stats) float64 { return float64(s.Refreshes) }},
		{"sessions_ended_again_total", "Sessions that a failover brought back and that were ended again.", true, func(s session.Stats) float64 { return float64(s.EndedAgain) }},
		{"sessions_watched", "Sessions with running streams.", false, func(s session.Stats) float64 { return float64(s.Watched) }},
		{"store_unacknowledged_total", "Writes that no Redis replica acknowledged in time.", true, func(s session.Stats) float64 { return float64(s.Unacknowledged) }},
		{"store_resubscribed_total", "Subscriptions to other replicas' news after the first.", true, func(s session.Stats) float64 { return float64(s.Resubscribed) }},
	} {
		counts.Read(c.name, c.help, c.total, func() float64 { return c.value(m.Stats()) })
	}
	return counts
}
