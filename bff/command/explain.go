package command

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/gate"
	"coatcheck/bff/http1"
	"coatcheck/bff/metrics"
	"coatcheck/bff/problem"
	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// RawRequest is a request to be explained, as a client would write it.
type RawRequest struct {
	// Method and URL of the request; the URL is absolute.
	Method, URL string
	// Headers are lines: "Name: value".
	Headers []string
	// Body of the request, for calls that may be signed; nil: it is not known.
	Body []byte
	// Peer is the address the connection comes from.
	Peer netip.Addr
}

// Explanation is what a server of this configuration would do with a request.
type Explanation struct {
	// Lines are the trail: what each check says, and what would go to the API.
	Lines []string
	// Decision is what [routing.Table.Decide] says, the same that serves; zero where the
	// gate refuses the request.
	Decision routing.Decision
	// Problem is the answer of Coatcheck's own; nil: there is none, or the store or the
	// API would decide.
	Problem *problem.Problem
}

// Explain tells the decision about one request, without any network. It runs the very
// code that serves. An error means that the request cannot be read.
func Explain(c *configs.Config, ups *signin.Set, q RawRequest) (*Explanation, error) {
	table, err := routing.New(c, routing.Options{Closed: ups.Closed})
	if err != nil {
		return nil, err
	}
	events := call.Events{Log: slog.New(slog.DiscardHandler), Metrics: metrics.New("", "")}
	providers := offlineProviders(c)
	who := auth.New(nil, table, ups, providers, events, auth.NewPrograms(apikey.NewTable(nil, 0, apikey.Events{}), nil, nil, ""))
	who.Callers.Programs().Use(c)
	ways, err := proxy.New(proxy.Options{Config: c, Table: table, Upstreams: ups, Events: events})
	if err != nil {
		return nil, err
	}
	defer ways.Close()
	head, err := q.head(c)
	e := &explainer{table: table, proxy: ways, config: c, auth: who, body: q.Body, url: q.URL}
	if hasHost(q.Headers) {
		e.url = "" // the request says itself where it goes
	}
	var refused gateRefusal
	if errors.As(err, &refused) {
		e.gate(refused)
		return e.explanation(), nil
	}
	if err != nil {
		return nil, err
	}
	table.Read(&e.call.Request, head, q.Peer)
	table.Decide(&e.call.Request, &e.call.Decision)
	e.explain()
	return e.explanation(), nil
}

// gateRefusal is a request that never becomes a call: what stands on the wire is not
// well-formed HTTP, or its method is not known.
type gateRefusal struct{ error }

// head reads the request as the gate would.
func (q RawRequest) head(c *configs.Config) (*http1.Head, error) {
	// Not left to net/url: what it cannot read is worth an explanation, too.
	scheme, rest, ok := strings.Cut(q.URL, "://")
	end := strings.IndexAny(rest+"/", "/?#\\")
	if !ok || end == 0 || scheme != "https" && scheme != "http" {
		return nil, fmt.Errorf("%q is not an absolute URL", q.URL)
	}
	host, target := rest[:end], rest[end:]
	host = host[strings.LastIndexByte(host, '@')+1:] // names and passwords never stand in Host (RFC 9110 §4.2.4)
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	text := q.Method + " " + target + " HTTP/1.1\r\n"
	if !hasHost(q.Headers) {
		text += "Host: " + host + "\r\n"
	}
	for _, line := range q.Headers {
		text += line + "\r\n"
	}
	var in http1.Reader
	in.Reset(bytes.NewReader([]byte(text + "\r\n")))
	head := new(http1.Head)
	err := head.ReadRequest(&in, int(c.Limits.Header))
	if err == nil {
		err = gate.Check(head, c.UnusualMethods())
	}
	if err != nil {
		return nil, gateRefusal{err}
	}
	return head, nil
}

func hasHost(lines []string) bool {
	for _, line := range lines {
		if name, _, _ := strings.Cut(line, ":"); http1.EqualFold([]byte(name), "host") {
			return true
		}
	}
	return false
}
