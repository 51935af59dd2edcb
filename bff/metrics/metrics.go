// Package metrics counts what happens, for Prometheus. Labels are names of the
// configuration and words of closed lists, never what a request says, so that no
// caller can make them grow. Where a call is counted on the hot path, its counters
// are looked up once ([Metrics.Route]).
package metrics

import (
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets of durations, in seconds: from what Coatcheck itself takes to a slow API.
var buckets = []float64{.0002, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are all counters of one process.
type Metrics struct {
	registry  *prometheus.Registry
	described []Description
	calls     *prometheus.CounterVec
	own, api  *prometheus.HistogramVec
	events    *prometheus.CounterVec
	refusals  *prometheus.CounterVec
	gate      *prometheus.CounterVec
	guard     *prometheus.CounterVec
	dropped   *prometheus.CounterVec
	streams   *prometheus.GaugeVec
	attempts  *prometheus.CounterVec
	provider  *prometheus.HistogramVec
	backs     *prometheus.CounterVec
	store     *prometheus.HistogramVec
	storeErr  *prometheus.CounterVec
	programs  programs
}

// New makes the counters and those of the Go runtime and the process. version and
// commit say what is running.
func New(version, commit string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.calls = m.counter("calls_total", "Calls answered.", "frontend", "route", "method", "class")
	m.own = m.histogram("call_own_seconds", "Time until an answer began that Coatcheck itself took.", "frontend", "route")
	m.api = m.histogram("call_upstream_seconds", "Time of a call until the API's answer began.", "frontend", "route")
	m.events = m.counter("events_total", "Events that matter for security, by kind and outcome.", "frontend", "event", "outcome")
	m.guard = m.counter("guard_refusals_total", "Calls that the guard refused, by reason.", "frontend", "reason")
	m.dropped = m.counter("dropped_headers_total", "Headers of callers that did not go on to the API although no table lists them: odd_name (other characters than letters, digits and single hyphens), of_caller (servers would believe it of the caller).", "upstream", "why")
	m.refusals = m.counter("refusals_total", "Calls that Coatcheck answered itself with an error, by code.", "code")
	m.gate = m.counter("malformed_total", "Requests that the raw gate refused, by code.", "code")
	m.streams = m.gauge("open_streams", "Answers on their way now, by kind: stream, websocket.", "kind")
	m.attempts = m.counter("login_attempts_total", "Steps of sign-ins at a provider's page, by outcome: sent, signed_in, or the code of what failed.", "frontend", "provider", "outcome")
	m.provider = m.histogram("provider_seconds", "Time of one exchange with a provider.", "provider", "exchange")
	m.backs = m.counter("backchannel_logouts_total", "Logout tokens of providers, by outcome: accepted, refused, unavailable.", "provider", "outcome")
	m.store = m.histogram("store_seconds", "Time of one question to the store.", "operation")
	m.storeErr = m.counter("store_errors_total", "Questions that the store did not answer.", "operation")
	m.addPrograms()
	build := m.gauge("build_info", "Always 1; the labels say what runs.", "version", "commit", "go")
	build.WithLabelValues(version, commit, runtime.Version()).Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers GET /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Event counts one security event.
func (m *Metrics) Event(frontend, event, outcome string) {
	m.events.WithLabelValues(frontend, event, outcome).Inc()
}

// Refused counts an answer of Coatcheck's own; code is one of its closed list.
func (m *Metrics) Refused(code string) { m.refusals.WithLabelValues(code).Inc() }

// Malformed counts a request that the raw gate refused.
func (m *Metrics) Malformed(code string) { m.gate.WithLabelValues(code).Inc() }

// Stream counts an answer on its way, "stream" or "websocket", until it is closed.
func (m *Metrics) Stream(kind string) *Stream {
	gauge := m.streams.WithLabelValues(kind)
	gauge.Inc()
	return &Stream{gauge: gauge}
}

// Stream is an answer that is counted as long as it is open.
type Stream struct {
	gauge  prometheus.Gauge
	closed atomic.Bool
}

// Close may be called more than once: the gauge cannot fall below what is open.
func (s *Stream) Close() {
	if !s.closed.Swap(true) {
		s.gauge.Dec()
	}
}

// Guard counts a call that the guard refused; reason is one of its closed list.
func (m *Metrics) Guard(frontend, reason string) {
	m.guard.WithLabelValues(frontend, reason).Inc()
}

// Dropped counts a header that did not go on to an API; why is odd_name or of_caller.
func (m *Metrics) Dropped(upstream, why string) { m.dropped.WithLabelValues(upstream, why).Inc() }

// Attempt counts a step of a sign-in at a provider; outcome is one of a closed list.
func (m *Metrics) Attempt(frontend, provider, outcome string) {
	m.attempts.WithLabelValues(frontend, provider, outcome).Inc()
}

// Provider counts one exchange with a provider: discovery, keys, par, token, refresh,
// userinfo, revocation, exchange.
func (m *Metrics) Provider(provider, exchange string, took time.Duration) {
	m.provider.WithLabelValues(provider, exchange).Observe(took.Seconds())
}

// BackChannel counts a logout token; outcome is accepted, refused
// or unavailable.
func (m *Metrics) BackChannel(provider, outcome string) {
	m.backs.WithLabelValues(provider, outcome).Inc()
}

// Store counts one question to the store.
func (m *Metrics) Store(operation string, took time.Duration, failed bool) {
	m.store.WithLabelValues(operation).Observe(took.Seconds())
	if failed {
		m.storeErr.WithLabelValues(operation).Inc()
	}
}

// methods that are counted apart; the last stands for all others.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}

var classes = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// Route counts the calls of one route. Each counter is made with the first call that it
// counts, so that thousands of routes nobody calls cost nothing; later calls look nothing
// up.
type Route struct {
	metrics         *Metrics
	frontend, route string
	counters        atomic.Pointer[counters]
}

// counters of a route that was called.
type counters struct {
	calls    [len(methods)][len(classes)]atomic.Pointer[prometheus.Counter]
	own, api prometheus.Observer
}

// Route names the counters of a route.
func (m *Metrics) Route(frontend, route string) *Route {
	return &Route{metrics: m, frontend: frontend, route: route}
}

// called returns the counters. Two first calls at once get the same ones: the registry
// knows them by their labels.
func (r *Route) called() *counters {
	if c := r.counters.Load(); c != nil {
		return c
	}
	m := r.metrics
	r.counters.CompareAndSwap(nil, &counters{own: m.own.WithLabelValues(r.frontend, r.route), api: m.api.WithLabelValues(r.frontend, r.route)})
	return r.counters.Load()
}

func (r *Route) count(at *atomic.Pointer[prometheus.Counter], method, class string) {
	c := at.Load()
	if c == nil {
		made := r.metrics.calls.WithLabelValues(r.frontend, r.route, method, class)
		at.Store(&made)
		c = &made
	}
	(*c).Inc()
}

// Call counts one call: whole is the time until its answer began, api the API's part of it, 0
// where the API was not asked.
func (r *Route) Call(method []byte, status int, whole, api time.Duration) {
	c, class := r.called(), min(max(status/100, 1), len(classes))-1
	for i := range methods {
		if methods[i] == string(method) || i == len(methods)-1 {
			r.count(&c.calls[i][class], methods[i], classes[class])
			break
		}
	}
	c.own.Observe((whole - api).Seconds())
	if api > 0 {
		c.api.Observe(api.Seconds())
	}
}
