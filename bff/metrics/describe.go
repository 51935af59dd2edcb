package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Description is one metric as the reference shows it.
type Description struct {
	// Name has the prefix "coatcheck_"; Type is counter, gauge or histogram.
	Name, Type, Help string
	// Labels are names, in the order in which values are given.
	Labels []string
}

// Described lists every metric of Coatcheck's own by name.
func (m *Metrics) Described() []Description {
	return slices.SortedFunc(slices.Values(m.described), func(a, b Description) int { return strings.Compare(a.Name, b.Name) })
}

// describe notes a metric and returns its full name.
func (m *Metrics) describe(name, kind, help string, labels []string) string {
	full := "coatcheck_" + name
	m.described = append(m.described, Description{full, kind, help, labels})
	return full
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.describe(name, "counter", help, labels), Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.describe(name, "gauge", help, labels), Help: help}, labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: m.describe(name, "histogram", help, labels), Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(v)
	return v
}

// Reading is a metric whose values are read when somebody asks.
type Reading struct {
	// Name is without the prefix "coatcheck_"; Help is the line of the reference.
	Name, Help string
	// Total marks what only grows; all else is what is now.
	Total bool
	// Label tells the values apart; empty where there is one, under the empty key. A
	// Second label follows behind a slash.
	Label, Second string
	// Values by label; a value that is not known is left out.
	Values func() map[string]float64
}

// Read adds a reading.
func (m *Metrics) Read(r Reading) {
	kind, of := "gauge", prometheus.GaugeValue
	if r.Total {
		kind, of = "counter", prometheus.CounterValue
	}
	var labels []string
	for _, label := range []string{r.Label, r.Second} {
		if label != "" {
			labels = append(labels, label)
		}
	}
	name := m.describe(r.Name, kind, r.Help, labels)
	m.registry.MustRegister(&reader{prometheus.NewDesc(name, r.Help, labels, nil), of, r})
}

// reader is a [prometheus.Collector] of one reading.
type reader struct {
	desc *prometheus.Desc
	of   prometheus.ValueType
	Reading
}

func (r *reader) Describe(to chan<- *prometheus.Desc) { to <- r.desc }

func (r *reader) Collect(to chan<- prometheus.Metric) {
	for label, value := range r.Values() {
		var labels []string
		if r.Label != "" {
			labels = []string{label}
		}
		if r.Second != "" {
			first, second, _ := strings.Cut(label, "/")
			labels = []string{first, second}
		}
		to <- prometheus.MustNewConstMetric(r.desc, r.of, value, labels...)
	}
}
