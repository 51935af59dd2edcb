// Package trace tells an OpenTelemetry collector where a call's time went: one span
// for the call, and one below it for each question to an API, which hears of it by
// the header traceparent (W3C Trace Context). A sign-in is one question with all
// requests that its mapping makes of it. Tracing is on where the environment names a
// collector or the exporter, and off otherwise; then every method works on nil and
// costs a branch.
//
// A span never holds a token, a ticket, a path, a query, a header or a body: its names
// are those of the configuration, its values words of closed lists and numbers.
//
// A traceparent is believed from a trusted proxy only. Anybody else could put calls
// into traces that are not theirs, or ask for every one to be recorded.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Tracer begins spans. A nil one begins none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// ErrSetting says that the environment asks for what is not there.
var ErrSetting = errors.New("trace")

// wanted reports whether the environment asks for traces, by OpenTelemetry's own
// variables. Unlike what they say, nothing is sent anywhere unless one names a
// collector, or the exporter.
func wanted(get func(string) string) (bool, error) {
	if get("OTEL_SDK_DISABLED") == "true" {
		return false, nil
	}
	switch exporter := get("OTEL_TRACES_EXPORTER"); exporter {
	case "none":
		return false, nil
	case "", "otlp":
		if exporter == "" && get("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("%w: OTEL_TRACES_EXPORTER may be otlp or none", ErrSetting)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if p := get(name); p != "" && p != "http/protobuf" {
			return false, fmt.Errorf("%w: %s may be http/protobuf only", ErrSetting, name)
		}
	}
	return true, nil
}

// endpoint is where the environment says that the collector is; empty where it names
// none, or nothing that is a URL.
func endpoint(get func(string) string) string {
	if at := get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); at != "" {
		return at
	}
	base, err := url.Parse(get("OTEL_EXPORTER_OTLP_ENDPOINT"))
	if err != nil || base.Host == "" {
		return ""
	}
	return base.JoinPath("v1", "traces").String()
}

// FromEnvironment makes the tracer that the environment asks for; nil where it asks
// for none. getenv decides whether there is one and where its collector is; the rest
// (OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_RESOURCE_ATTRIBUTES
// and so on) OpenTelemetry's library reads from the process's own environment. Nobody
// is dialled yet, and a collector that is away holds nobody up: what cannot be sent is
// dropped.
func FromEnvironment(version string, getenv func(string) (string, bool), log *slog.Logger) (*Tracer, error) {
	get := func(name string) string { value, _ := getenv(name); return value }
	on, err := wanted(get)
	if err != nil || !on {
		return nil, err
	}
	ctx := context.Background()
	var options []otlptracehttp.Option
	if at := endpoint(get); at != "" {
		options = append(options, otlptracehttp.WithEndpointURL(at))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: the exporter's settings cannot be used", ErrSetting)
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "coatcheck"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("%w: OTEL_RESOURCE_ATTRIBUTES cannot be read", ErrSetting)
	}
	otel.SetErrorHandler(&quiet{log: log})
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about))
	return &Tracer{provider, provider.Tracer("coatcheck", trace.WithInstrumentationVersion(version))}, nil
}

// quiet says once a minute that spans are lost. What the library says is not repeated:
// a collector's answer may stand in it.
type quiet struct {
	log  *slog.Logger
	last atomic.Int64
}

func (q *quiet) Handle(error) {
	now, last := time.Now().Unix(), q.last.Load()
	if now-last >= 60 && q.last.CompareAndSwap(last, now) {
		q.log.Warn("traces cannot be sent to the collector")
	}
}

// Close sends what is left, as long as ctx lasts.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("%w: spans were lost at the end", ErrSetting)
	}
	return nil
}

// Span is a piece of a call's time. All methods work on nil.
type Span struct {
	tracer *Tracer
	ctx    context.Context //nolint:containedctx // it is how the library names a parent
	span   trace.Span
}

// Begin begins the span of a call. parent and state are the headers traceparent and
// tracestate of a trusted proxy; empty, or malformed: the call begins a trace.
func (t *Tracer) Begin(parent, state string) *Span {
	if t == nil {
		return nil
	}
	ctx := context.Background()
	if parent != "" {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": parent, "tracestate": state})
	}
	ctx, span := t.tracer.Start(ctx, "call", trace.WithSpanKind(trace.SpanKindServer))
	return &Span{t, ctx, span}
}

// Ask begins the span of a question to an upstream: what, such as "forward", names it.
func (s *Span) Ask(what, upstream string) *Span {
	if s == nil {
		return nil
	}
	ctx, span := s.tracer.tracer.Start(s.ctx, what+" "+upstream, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("coatcheck.upstream", upstream)))
	return &Span{s.tracer, ctx, span}
}

// TraceID is the trace's id in hex; empty where nothing is traced.
func (s *Span) TraceID() string {
	if s == nil {
		return ""
	}
	return s.span.SpanContext().TraceID().String()
}

// Headers are traceparent and tracestate for who is asked; empty where there is none.
func (s *Span) Headers() (parent, state string) {
	if s == nil {
		return "", ""
	}
	c := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(s.ctx, c)
	return c["traceparent"], c["tracestate"]
}

// Call is what a call's span says at its end; see OpenTelemetry's conventions for HTTP.
type Call struct {
	// Method, Frontend, Route and Code are words of closed lists or of the configuration;
	// empty: not known.
	Method, Frontend, Route, Code string
	// Status of the answer.
	Status int
}

// End ends the span of a call.
func (s *Span) End(c Call) {
	if s == nil {
		return
	}
	s.span.SetName(c.Method + " " + c.Route)
	s.span.SetAttributes(attribute.String("http.request.method", c.Method), attribute.Int("http.response.status_code", c.Status))
	for name, value := range map[string]string{"http.route": c.Route, "coatcheck.frontend": c.Frontend, "coatcheck.code": c.Code} {
		if value != "" {
			s.span.SetAttributes(attribute.String(name, value))
		}
	}
	if c.Status >= 500 {
		s.span.SetStatus(codes.Error, c.Code)
	}
	s.span.End()
}

// Answered ends the span of a question: status is the answer's, 0 where there is none
// to tell; err only says whether there was one, and is not repeated.
func (s *Span) Answered(status int, err error) {
	if s == nil {
		return
	}
	if status > 0 && err == nil {
		s.span.SetAttributes(attribute.Int("http.response.status_code", status))
	}
	if err != nil {
		s.span.SetStatus(codes.Error, "no usable answer")
	} else if status >= 500 {
		s.span.SetStatus(codes.Error, "")
	}
	s.span.End()
}
