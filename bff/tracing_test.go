package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"coatcheck/bff/rig"
)

// receiver is an OTLP collector that keeps what it is sent.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	raw   []byte
	spans []*spans.Span
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			return // the process ended while it sent
		}
		var export collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(body, &export); err != nil || q.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", q.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.raw = append(r.raw, body...)
		for _, resource := range export.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				r.spans = append(r.spans, scope.Spans...)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// find returns the first span called name, with such a parent; nil: not yet.
func (r *receiver) find(name, parent string) *spans.Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans {
		if s.Name == name && (parent == "" || hex.EncodeToString(s.ParentSpanId) == parent) {
			return s
		}
	}
	return nil
}

func (r *receiver) wait(t *testing.T, name, parent string) *spans.Span {
	t.Helper()
	rig.Until(t, "span "+name, func() bool { return r.find(name, parent) != nil })
	return r.find(name, parent)
}

const (
	foreignTrace = "0af7651916cd43dd8448eb211c80319c"
	foreignSpan  = "b7ad6b7169203331"
)

// traced starts two replicas that send their spans to a collector, and one person at
// the first. The API answers /api/traceparent with the header that it got.
func traced(t *testing.T, trusted string) (*fleet, *receiver, *person) {
	t.Helper()
	r := newReceiver(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", r.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
	a := newFleetAPI(t)
	a.Server.Close()
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/api/traceparent" {
			_, _ = io.WriteString(w, strings.Join(q.Header.Values("Traceparent"), ",")+" "+q.Header.Get("Tracestate"))
			return
		}
		a.ServeHTTP(w, q)
	}))
	f := &fleet{T: t, api: a, replicas: []*replica{{}, {}}, text: fleetConfig + "trusted_proxies: [" + trusted + "]\n"}
	f.launch(func(*replica) string { return "memory://" })
	return f, r, f.signIn(f.replicas[0], "ada-lovelace")
}

func (f *fleet) askTraced(p *person, path string) string {
	r := f.replicas[0]
	q, _ := http.NewRequest("GET", "http://"+r.host+path, nil)
	q.Header = http.Header{"Cookie": {p.cookie}, "Origin": {"http://" + r.host},
		"Traceparent": {"00-" + foreignTrace + "-" + foreignSpan + "-01"}, "Tracestate": {"vendor=x"}}
	answer, err := r.client.Do(q)
	if err != nil {
		f.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

// TestTrace: a trusted front's trace goes on through Coatcheck to the API; a sign-in
// has spans too; and no span holds anything that was sent.
func TestTrace(t *testing.T) {
	f, r, p := traced(t, "127.0.0.1/32")
	r.wait(t, "POST /bff/login", "")
	r.wait(t, "sign_in api", "")
	got := f.askTraced(p, "/api/traceparent?secret=QUERY-MARK")
	call := r.wait(t, "GET /api/", foreignSpan)
	forward := r.wait(t, "forward api", hex.EncodeToString(call.SpanId))
	if want := "00-" + foreignTrace + "-" + hex.EncodeToString(forward.SpanId) + "-01 vendor=x"; got != want {
		t.Errorf("the API got %q, not %q", got, want)
	}
	rig.Until(t, "the call's line", func() bool { return strings.Contains(f.replicas[0].Log.String(), `"trace_id":"`+foreignTrace+`"`) })
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, mark := range []string{"QUERY-MARK", p.ticket(), "ada-lovelace", "at1.ada", "rt1.ada", "traceparent?"} {
		if strings.Contains(string(r.raw), mark) {
			t.Errorf("%q stands in a span", mark)
		}
	}
}

// TestTraceOfAStranger: nobody but a trusted front may put a call into a trace.
func TestTraceOfAStranger(t *testing.T) {
	f, r, p := traced(t, "192.0.2.1/32")
	got := f.askTraced(p, "/api/traceparent")
	call := r.wait(t, "GET /api/", "")
	if hex.EncodeToString(call.TraceId) == foreignTrace || strings.Contains(got, foreignTrace) || !strings.HasPrefix(got, "00-") || strings.Contains(got, "vendor") {
		t.Errorf("a stranger's trace went on: %s", got)
	}
	r.Close() // a collector that is away holds nobody up
	if a := f.get(f.replicas[0], "/api/whoami", p); a.body != "ada-lovelace" {
		t.Errorf("without the collector: %s", a)
	}
}

const questionsConfig = `
listen: 127.0.0.1:${PORT}
admin: {listen: "127.0.0.1:${ADMIN}"}
drain: {delay: 0s, timeout: 5s}
sessions: {store: "memory://", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}"}}
      answers: [{at: /ticket, step: otp}]
      credential: {access_token: /token}
      user: {at: /user, subject: /id}
      steps: {otp: {fields: [otp], keep: {ticket: /ticket}, request: {path: /factor, body: {t: "{ticket}", c: "{otp}"}}}}
    verify: {request: {path: /verify}}
    logout: {request: {path: /logout}}
frontends:
  app:
    origins: ["http://app.localhost"]
    login: {upstream: api, fields: [email]}
    routes: [{path: /api/, upstream: api}]
`

// tracedProgram serves questionsConfig.
type tracedProgram struct {
	*rig.Served
	t *testing.T
}

func (p tracedProgram) ask(method, path, body string, headers ...string) (status int, header http.Header, text string) {
	p.t.Helper()
	q, _ := http.NewRequest(method, "http://"+p.Address+path, strings.NewReader(body))
	q.Host, q.Close = "app.localhost", true
	q.Header = http.Header{"X-Csrf": {"1"}, "Content-Type": {"application/json"}}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		q.Header.Set(name, value)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, a.Header, string(b)
}

// TestTraceOfEveryQuestion: each question to the API has a span below its call's, and
// the API hears of that span: sign-in, second factor, verify and sign-out too.
func TestTraceOfEveryQuestion(t *testing.T) {
	collector := newReceiver(t)
	var mu sync.Mutex
	heard := map[string]string{} // traceparent by path
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		heard[q.URL.Path] = q.Header.Get("Traceparent")
		switch q.URL.Path {
		case "/login":
			_, _ = io.WriteString(w, `{"ticket":"k"}`)
		case "/factor":
			_, _ = io.WriteString(w, `{"token":"t","user":{"id":"u"}}`)
		case "/api/x":
			w.WriteHeader(401)
		}
	}))
	defer api.Close()
	r := tracedProgram{rig.Serve(t, questionsConfig, "API="+api.URL, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_BSP_SCHEDULE_DELAY=50"), t}
	first, header, body := r.ask("POST", "/bff/login", `{"email":"ada"}`)
	step, _, _ := strings.Cut(header.Get("Set-Cookie"), ";")
	second, header, _ := r.ask("POST", "/bff/login", `{"step":"otp","otp":"1"}`, "Cookie: "+step)
	if first != 200 || second != 200 {
		t.Fatalf("sign-in: %d, %d %s", first, second, body)
	}
	cookie := ""
	for _, line := range header.Values("Set-Cookie") {
		if value, rest, _ := strings.Cut(line, ";"); !strings.Contains(rest, "Max-Age=0") {
			cookie = "Cookie: " + value
		}
	}
	r.ask("GET", "/api/x", "", cookie)
	if status, _, _ := r.ask("POST", "/bff/logout", "", cookie); status != 204 {
		t.Fatalf("sign-out: %d", status)
	}
	for name, row := range map[string]struct{ path, call string }{"sign_in api": {"/login", "POST /bff/login"}, "step api": {"/factor", "POST /bff/login"},
		"forward api": {"/api/x", "GET /api/"}, "verify api": {"/verify", "GET /api/"}, "sign_out api": {"/logout", "POST /bff/logout"}} {
		span := collector.wait(t, name, "")
		if want := "-" + hex.EncodeToString(span.SpanId) + "-"; !strings.Contains(heard[row.path], want) {
			t.Errorf("%s: the API heard of %q, not of %s", name, heard[row.path], want)
		}
		rig.Until(t, row.call+" above "+name, func() bool {
			collector.mu.Lock()
			defer collector.mu.Unlock()
			return slices.ContainsFunc(collector.spans, func(call *spans.Span) bool {
				return call.Name == row.call && string(call.SpanId) == string(span.ParentSpanId)
			})
		})
	}
}

// TestLastSpansAreSent: what the collector was not told yet is sent at the end, for which
// it has five seconds: a busy machine's may need another try.
func TestLastSpansAreSent(t *testing.T) {
	rig.Until(t, "the spans of a process that ended", func() bool {
		collector := newReceiver(t) // of this try: the spans of an earlier one may arrive late
		r := tracedProgram{rig.Serve(t, questionsConfig, "API=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL, "OTEL_BSP_SCHEDULE_DELAY=3600000"), t}
		r.ask("POST", "/bff/login", `{"email":"ada"}`)
		if collector.find("POST /bff/login", "") != nil {
			t.Fatal("they were sent before the end")
		}
		_ = r.Process.Signal(syscall.SIGTERM)
		<-r.Exited
		return collector.find("POST /bff/login", "") != nil
	})
}
