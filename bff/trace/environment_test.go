package trace_test

import (
	"log/slog"
	"testing"

	"coatcheck/bff/trace"
)

// TestEnvironment: off unless a collector is named; what is missing is said.
func TestEnvironment(t *testing.T) {
	for _, row := range []struct {
		env      map[string]string
		on, fail bool
	}{
		{map[string]string{}, false, false},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, true, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, true, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, true, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"}, false, false},
		{map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"}, false, false},
		{map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, true},
		{map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, true},
	} {
		getenv := func(name string) (string, bool) { value, ok := row.env[name]; return value, ok }
		tracer, err := trace.FromEnvironment("test", getenv, slog.New(slog.DiscardHandler))
		if (tracer != nil) != row.on || (err != nil) != row.fail {
			t.Errorf("%v: on %v, error %v", row.env, tracer != nil, err)
		}
		if err := tracer.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
