package signin

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

const (
	// maxBody bounds a response's body, in bytes.
	maxBody = 1 << 20
	// maxHead bounds a response's head, in bytes.
	maxHead = 256 << 10
	// keepAlive is how long a connection waits for the next request. It is short:
	// many servers close an idle connection after 5 s, and a sign-in sent into
	// that moment would fail, since a POST is never sent twice.
	keepAlive = 3 * time.Second
)

// newClient makes the resty client of one upstream.
func newClient(d *upstream.Dialer, ownerOnly bool) *resty.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx, nil) }
	transport := &http.Transport{DialContext: dial, DialTLSContext: dial,
		DisableKeepAlives: ownerOnly} // who signs in is nobody yet
	if p := d.Absolute(); p != nil {
		transport.Proxy = http.ProxyURL(p.URL()) // it writes the absolute form; our dialler dials
	}
	return guarded(transport)
}

// guarded makes a resty client over transport. Nothing that resty or net/http do of
// themselves is wanted here: no cookie jar (it would carry one person's cookie into
// the next one's sign-in), no redirects (a 307 would post the password to another
// host), no retries, no proxies of the environment, no log, no second protocol.
func guarded(transport *http.Transport) *resty.Client {
	transport.DisableCompression, transport.MaxResponseHeaderBytes = true, maxHead
	transport.IdleConnTimeout, transport.MaxIdleConnsPerHost = keepAlive, 4
	stay := resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })
	return resty.NewWithClient(&http.Client{Transport: transport}).
		SetRedirectPolicy(stay).
		SetContentLength(true). // or resty wraps the absent body of a POST in a reader, which net/http sends chunked
		SetAllowGetMethodPayload(true).SetLogger(discard{}).SetDisableWarn(true)
}

// discard is a log that keeps nothing: what resty would say has URLs in it.
type discard struct{}

func (discard) Errorf(string, ...any) {}
func (discard) Warnf(string, ...any)  {}
func (discard) Debugf(string, ...any) {}

// roundTrip sends the request once and returns the response, whatever its status.
func (r *request) roundTrip(ctx context.Context, v *mapping.Values) (*mapping.Response, error) {
	filled, err := r.Fill(r.to.address, r.to.agent, r.send, v)
	if err != nil {
		return nil, err
	}
	tracing := traceOf(ctx)
	tracing.request(r, filled.Header, v)
	q := r.to.client.R().SetContext(ctx).SetDoNotParseResponse(true)
	q.Header = filled.Header
	if filled.Body != nil {
		q.SetBody(filled.Body)
	}
	got, err := q.Execute(filled.Method, filled.URL)
	var body []byte
	if err == nil {
		body, err = readBody(got, maxBody)
	}
	if err != nil {
		err = failure(ctx, err)
		tracing.failed(err)
		return nil, err
	}
	a := mapping.NewResponse(got.StatusCode(), got.Header(), body)
	tracing.response(a)
	return a, nil
}
