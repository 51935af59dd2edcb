package metrics_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"coatcheck/bff/metrics"
)

// TestStreamClosedTwice: the gauge of open streams cannot fall below what is open.
func TestStreamClosedTwice(t *testing.T) {
	m := metrics.New("", "")
	first := m.Stream("stream")
	m.Stream("stream")
	for range 3 {
		first.Close()
	}
	got := httptest.NewRecorder()
	m.Handler().ServeHTTP(got, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(got.Body.String(), "coatcheck_open_streams{kind=\"stream\"} 1\n") {
		t.Errorf("metrics:\n%s", got.Body)
	}
}
