package metrics

import "github.com/prometheus/client_golang/prometheus"

// programs counts calls of programs.
type programs struct {
	calls   *prometheus.CounterVec
	limited *prometheus.CounterVec
}

func (m *Metrics) addPrograms() {
	m.programs.calls = m.counter("caller_calls_total", "Calls on routes of programs, by outcome: passed, answered (a handshake or a known event), or the code of the refusal. The caller is empty where it was not proven.", "frontend", "caller", "outcome")
	m.programs.limited = m.counter("caller_limited_total", "Calls of programs that were refused because of the caller's limit.", "caller")
}

// Program counts a call of a program. caller is a name of the configuration, outcome a
// code of the closed list, or passed or answered.
func (m *Metrics) Program(frontend, caller, outcome string) {
	m.programs.calls.WithLabelValues(frontend, caller, outcome).Inc()
}

// Limited counts a call over a caller's limit.
func (m *Metrics) Limited(caller string) { m.programs.limited.WithLabelValues(caller).Inc() }
