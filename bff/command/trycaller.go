package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/signature"
	"coatcheck/bff/signature/sample"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
)

// callerTimeout bounds the sample call.
const callerTimeout = 60 * time.Second

// sampleRoute is where a caller is let in.
type sampleRoute struct {
	frontend *configs.Frontend
	route    *configs.Route
	method   string
}

// routeOf finds the first route that lets a caller in, and a method of both: POST for one
// that signs, where there is a choice, else GET.
func routeOf(config *configs.Config, name string, c *configs.Caller) (sampleRoute, bool) {
	wanted := []string{http.MethodGet, http.MethodPost}
	if c.Kind() == configs.BySignature {
		wanted = []string{http.MethodPost, http.MethodGet}
	}
	for _, frontend := range slices.Sorted(maps.Keys(config.Frontends)) {
		f := config.Frontends[frontend]
		for _, r := range f.Routes {
			if !slices.Contains(r.Callers, name) {
				continue
			}
			for _, method := range append(wanted, r.Methods...) {
				if slices.Contains(r.Methods, method) && (len(c.Methods) == 0 || slices.Contains(c.Methods, method)) {
					return sampleRoute{f, r, method}, true
				}
			}
		}
	}
	return sampleRoute{}, false
}

// tryCaller makes a sample call as a program would, signed by its own lines or with the key
// or token that the operator types, and sends it to the Coatcheck that runs. It goes on to
// the API as every call does. Errors: [ErrRefused] where the answer is not a success, or a
// [Failure].
func (p *Program) tryCaller(ctx context.Context, config *configs.Config, o TryOptions) error {
	c := config.Callers[o.Caller]
	if c == nil || o.Upstream != "" || o.Provider != "" {
		return fmt.Errorf("no caller %q, or an upstream or a provider besides", o.Caller)
	}
	where, ok := routeOf(config, o.Caller, c)
	if !ok {
		return fmt.Errorf("no route lets caller %q in", o.Caller)
	}
	q, shown, err := p.sampleCall(c.Scheme(o.Caller), c, where)
	if err != nil {
		return Failure{err}
	}
	if err := aim(q, config, o.To); err != nil {
		return err
	}
	tell := painter{p.Stdout, terminal.Of(p.Stdout, p.Getenv)}.line
	for _, line := range shown {
		tell(line)
	}
	return p.sendSample(ctx, q, tell)
}

// sampleCall makes the request, without where it goes, and says what is in it: never a
// proof.
func (p *Program) sampleCall(s signature.Scheme, c *configs.Caller, where sampleRoute) (*http.Request, []string, error) {
	path := strings.TrimSuffix(where.frontend.BasePath, "/") + where.route.Path + "coatcheck-try"
	q := &http.Request{Method: where.method, Header: http.Header{}, Host: strings.TrimPrefix(strings.TrimPrefix(where.frontend.KnownBase(), "https://"), "http://")}
	if c.Kind() != configs.BySignature {
		what := map[string]string{configs.ByKey: "key", configs.ByToken: "token"}[c.Kind()]
		fields, err := newPrompter(p.Stdin, p.Stderr).fields([]string{what})
		if err != nil {
			return nil, nil, err
		}
		place := putProof(q, c, fields[what].Reveal())
		q.URL, err = url.Parse(path)
		if err == nil && strings.HasPrefix(place, "?") {
			q.URL.RawQuery = strings.TrimPrefix(place, "?")
			place = "the query"
		}
		return q, []string{"> " + where.method + " " + path, "  with the " + what + " in " + place}, err
	}
	made, err := sample.Make(s, sample.Options{Method: where.method, Path: path, Base: where.frontend.KnownBase(), Now: time.Now()})
	if errors.Is(err, signature.ErrPublicKey) {
		return nil, nil, errors.New("this caller is known by public keys: only its provider can sign. Most providers send a sample from their own page")
	}
	if err != nil {
		return nil, nil, err
	}
	q.Header, q.ContentLength = made.Header, int64(len(made.Body))
	q.Body = io.NopCloser(bytes.NewReader(made.Body))
	q.URL, err = url.Parse(made.Target)
	lines := []string{fmt.Sprintf("> %s %s", where.method, path), fmt.Sprintf("  signed by rule %d of the caller's; the proof is not shown", made.Rule)}
	for _, name := range slices.Sorted(maps.Keys(made.Header)) {
		lines = append(lines, "> "+name+": "+hiddenProof(s.Rules[made.Rule], name, made.Header.Get(name)))
	}
	return q, append(lines, fmt.Sprintf("> a body of %d bytes", len(made.Body))), err
}

// hiddenProof is a header's value, or what may be seen of it where a proof stands there.
func hiddenProof(r signature.Rule, name, value string) string {
	if strings.EqualFold(r.Proof.Header, name) || name == "Authorization" {
		return fmt.Sprintf("[proof, %d characters]", len(value))
	}
	return value
}

// putProof puts a key or token where the caller's are read, and says where that is; a
// query is returned as "?name=value".
func putProof(q *http.Request, c *configs.Caller, proof string) string {
	places := c.Places()
	switch {
	case places.Bearer:
		q.Header.Set("Authorization", "Bearer "+proof)
		return "Authorization: Bearer"
	case places.Basic:
		q.SetBasicAuth("try", proof)
		return "Authorization: Basic"
	case len(places.Headers) > 0:
		q.Header.Set(places.Headers[0], proof)
		return places.Headers[0]
	}
	return "?" + url.QueryEscape(places.Queries[0]) + "=" + url.QueryEscape(proof)
}

// aim sends a request to a Coatcheck: to, or the address that the configuration says,
// here.
func aim(q *http.Request, config *configs.Config, to string) error {
	if to == "" {
		host, port, err := net.SplitHostPort(config.Listen)
		if err != nil {
			return Failure{err}
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = "127.0.0.1"
		}
		to = "http://" + net.JoinHostPort(host, port)
		if config.TLS != nil {
			to = "https://" + net.JoinHostPort(host, port)
		}
	}
	at, err := url.Parse(to)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" || strings.Trim(at.Path, "/") != "" {
		return errors.New("--to is a scheme and a host: http://127.0.0.1:8080")
	}
	q.URL.Scheme, q.URL.Host = at.Scheme, at.Host
	return nil
}

// sendSample sends the request, to the address itself: no proxy sees the proof.
func (p *Program) sendSample(ctx context.Context, q *http.Request, tell func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, callerTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(q.WithContext(ctx))
	if err != nil {
		var e *url.Error
		if errors.As(err, &e) {
			err = e.Err // the address may hold a proof
		}
		return Failure{fmt.Errorf("no answer from %s: %w", q.URL.Host, err)}
	}
	defer answer.Body.Close()
	n, _ := io.Copy(io.Discard, answer.Body)
	tell("< " + answer.Status)
	for _, name := range []string{"Coatcheck-Error", "Coatcheck-Duplicate", "Retry-After", "RateLimit", "X-Request-Id"} {
		if value := answer.Header.Get(name); value != "" {
			tell("< " + name + ": " + value)
		}
	}
	tell(fmt.Sprintf("< a body of %d bytes, which is not shown", n))
	switch code := answer.Header.Get("Coatcheck-Error"); {
	case code != "":
		fmt.Fprintln(p.Stdout, "\nCoatcheck refused the call; its log says why, under this X-Request-Id.")
	case answer.StatusCode/100 != 2:
		fmt.Fprintln(p.Stdout, "\nCoatcheck let the call in; the answer is the API's.")
	default:
		fmt.Fprintln(p.Stdout, "\nCoatcheck let the call in, and the API took it.")
		return nil
	}
	return ErrRefused
}
