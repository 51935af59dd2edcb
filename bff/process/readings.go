package process

import (
	"context"
	"time"

	"coatcheck/bff/auth"
	"coatcheck/bff/metrics"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	"coatcheck/upstream/forward"
)

// estimateLimit bounds how long /metrics waits for the store.
const estimateLimit = time.Second

// AddReadings adds to the metrics what the sessions, the ways to the APIs and programs counted.
// Nothing is read before somebody asks for the metrics.
func AddReadings(counts *metrics.Metrics, m *session.Manager, s *server.Server, programs *auth.Programs) {
	readPrograms(counts, programs)
	readSessions(counts, m)
	readTransports(counts, s)
}

// readSessions adds what the sessions counted.
func readSessions(counts *metrics.Metrics, m *session.Manager) {
	read := func(name, help, label string, total bool, values func(session.Stats) map[string]float64) {
		counts.Read(metrics.Reading{Name: name, Help: help, Label: label, Total: total, Values: func() map[string]float64 { return values(m.Stats()) }})
	}
	total := func(name, help string, value func(session.Stats) uint64) {
		read(name, help, "", true, func(s session.Stats) map[string]float64 { return one(value(s)) })
	}
	total("near_cache_hits_total", "Sessions found in the near cache.", func(s session.Stats) uint64 { return s.NearHits })
	total("near_cache_misses_total", "Sessions that the store was asked for.", func(s session.Stats) uint64 { return s.NearMisses })
	total("session_touches_total", "Extensions of idle times that were written.", func(s session.Stats) uint64 { return s.Touches })
	total("sessions_started_total", "Sessions that began.", func(s session.Stats) uint64 { return s.Started })
	total("refresh_waits_total", "Renewals that waited for another replica's lease.", func(s session.Stats) uint64 { return s.RefreshWaits })
	total("sessions_ended_again_total", "Sessions that a failover brought back and that were ended again.", func(s session.Stats) uint64 { return s.EndedAgain })
	total("store_unacknowledged_total", "Writes that no Redis replica acknowledged in time.", func(s session.Stats) uint64 { return s.Unacknowledged })
	total("store_resubscribed_total", "Subscriptions to other replicas' messages after the first.", func(s session.Stats) uint64 { return s.Resubscribed })
	read("sessions_ended_total", "Sessions that were ended, by reason. Sessions that expire are not counted.", "reason", true, func(s session.Stats) map[string]float64 { return byName(s.Ended) })
	read("refreshes_total", "Renewals of tokens by outcome: renewed, overtaken (another replica was faster), refused (the session ended), failed.", "outcome", true,
		func(s session.Stats) map[string]float64 { return byName(s.Refreshes) })
	read("sessions_watched", "Sessions with running streams, now.", "", false, func(s session.Stats) map[string]float64 { return one(uint64(s.Watched)) })
	counts.Read(metrics.Reading{Name: "sessions_live", Help: "About how many sessions the store holds, of all replicas together; missing while it cannot be asked.",
		Values: func() map[string]float64 { return live(m) }})
}

// live asks the store, which is the one reading that takes time.
func live(m *session.Manager) map[string]float64 {
	ctx, cancel := context.WithTimeout(context.Background(), estimateLimit)
	defer cancel()
	n, err := m.Live(ctx)
	if err != nil {
		return nil
	}
	return one(uint64(n))
}

// readTransports adds what the ways to the APIs counted. A reload begins anew, as a
// restart does.
func readTransports(counts *metrics.Metrics, s *server.Server) {
	for _, r := range []struct {
		name, help string
		total      bool
		value      func(forward.TransportStats) float64
	}{
		{"upstream_connections_open", "Connections to an API: at work, idle, or being opened.", false, func(c forward.TransportStats) float64 { return float64(c.Open) }},
		{"upstream_connections_idle", "Connections to an API that are kept for the next call.", false, func(c forward.TransportStats) float64 { return float64(c.Idle) }},
		{"upstream_calls_waiting", "Calls that wait for a connection, because all of max_connections are in use.", false, func(c forward.TransportStats) float64 { return float64(c.Waiting) }},
		{"upstream_busy_total", "Calls that found no connection free (max_connections, or descriptors) and got 503. The API is not blamed for them.", true, func(c forward.TransportStats) float64 { return float64(c.Busy) }},
		{"upstream_dials_total", "Connections opened to an API.", true, func(c forward.TransportStats) float64 { return float64(c.Dialled) }},
		{"upstream_retries_total", "Calls sent again, because a kept connection turned out dead.", true, func(c forward.TransportStats) float64 { return float64(c.Retried) }},
		{"upstream_stale_total", "Kept connections that were found dead before use.", true, func(c forward.TransportStats) float64 { return float64(c.Stale) }},
		{"breaker_open", "1 while an API is left alone because it takes no connections, or paths of it because they stay silent.", false, func(c forward.TransportStats) float64 { return asNumber(c.BreakerOpen) }},
	} {
		counts.Read(metrics.Reading{Name: r.name, Help: r.help, Total: r.total, Label: "upstream", Values: func() map[string]float64 {
			values := map[string]float64{}
			for name, c := range s.Transports() {
				values[name] = r.value(c)
			}
			return values
		}})
	}
}

func one(n uint64) map[string]float64 { return map[string]float64{"": float64(n)} }

func byName[K ~string](counts map[K]uint64) map[string]float64 {
	values := map[string]float64{}
	for name, n := range counts {
		values[string(name)] = float64(n)
	}
	return values
}
