package signin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"coatcheck/upstream"
)

const (
	// maxAnswer bounds an answer's body, in bytes.
	maxAnswer = 1 << 20
	// maxAnswerHead bounds an answer's head, in bytes.
	maxAnswerHead = 256 << 10
	// keepAlive is how long a connection waits for the next question. It is short:
	// many servers close an idle connection after 5 s, and a sign-in sent into
	// that moment would fail, since a POST is never sent twice.
	keepAlive = 3 * time.Second
)

// newClient makes the resty client of one upstream. Nothing that resty or
// net/http do of themselves is wanted here: no cookie jar (it would carry one
// person's cookie into the next one's sign-in), no redirects (a 307 would post
// the password to another host), no retries, no proxies of the environment, no
// log, no second protocol.
func newClient(d *upstream.Dialer, ownerOnly bool) *resty.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx, nil) }
	transport := &http.Transport{
		DialContext: dial, DialTLSContext: dial, DisableCompression: true,
		DisableKeepAlives: ownerOnly, // who signs in is nobody yet
		IdleConnTimeout:   keepAlive, MaxIdleConnsPerHost: 4, MaxResponseHeaderBytes: maxAnswerHead,
	}
	stay := resty.RedirectPolicyFunc(func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse })
	return resty.NewWithClient(&http.Client{Transport: transport}).
		SetRedirectPolicy(stay).SetResponseBodyLimit(maxAnswer).
		SetContentLength(true). // or resty wraps the absent body of a POST in a reader, which net/http sends chunked
		SetAllowGetMethodPayload(true).SetLogger(silence{}).SetDisableWarn(true)
}

// silence is a log that keeps nothing: what resty would say has URLs in it.
type silence struct{}

func (silence) Errorf(string, ...any) {}
func (silence) Warnf(string, ...any)  {}
func (silence) Debugf(string, ...any) {}

// ask sends the request once and returns the answer, whatever its status.
func (r *request) ask(ctx context.Context, v *values) (*answer, error) {
	target, err := r.url(v)
	if err != nil {
		return nil, unaskable(err)
	}
	header, err := r.headers(v)
	if err != nil {
		return nil, unaskable(err)
	}
	tracing := traceOf(ctx)
	tracing.asks(r, header, v)
	q := r.to.client.R().SetContext(ctx)
	q.Header = header
	if body := r.payload(v); body != nil {
		q.SetBody(body)
	}
	got, err := q.Execute(r.method, target)
	if err != nil {
		err = failure(ctx, err)
		tracing.failed(err)
		return nil, err
	}
	a := newAnswer(got.StatusCode(), got.Header(), got.Body())
	tracing.hears(a)
	return a, nil
}

// unaskable says why a request could not be made. A person's value that cannot be
// sent is a name or password that no account has.
func unaskable(err error) error {
	var u unfit
	if errors.As(err, &u) && !u.taken {
		return &Refusal{Meaning: InvalidCredentials}
	}
	return invalid("request cannot be made: %w", err)
}
