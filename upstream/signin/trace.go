package signin

import (
	"context"
	"net/http"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
)

// Trace is a set of hooks that are called while a sign-in goes on, as
// [net/http/httptrace] has them for a request: for an operator who tries a mapping,
// never for serving. They see secrets, and must not keep or show them. Every hook may
// be nil; in service there is no Trace at all.
type Trace struct {
	// Request is called before a request is sent, with the header that goes out.
	Request func(q Question, header http.Header, v *mapping.Values)
	// URLRequest is called before a request of a [Client] is sent.
	URLRequest func(q URLRequest, header http.Header)
	// Response is called for every response that was read.
	Response func(a *mapping.Response)
	// Failed is called where no response came.
	Failed func(err error)
	// Decided is called when the rules read a response: next is the step that follows,
	// err what [mapping.Rules.Read] said.
	Decided func(x *Exchange, a *mapping.Response, next string, err error)
	// Extracted is called when a credential was looked for in a response.
	Extracted func(x *Exchange, a *mapping.Response, c *credential.Credential, err error)
	// Described is called when the person was looked for in a document; fromToken says
	// that the document is a JWT's claims.
	Described func(p *mapping.Person, doc any, fromToken bool, object map[string]any, err error)
}

// Question is what a request is made of.
type Question struct {
	// Request is the mapping's.
	Request *mapping.Request
	// Send is what of `send` goes along.
	Send mapping.Send
	// To is the API that is asked.
	To *upstream.Address
}

// traceKey is where a context has its Trace.
type traceKey struct{}

// WithTrace returns a context under which the calls of an [Upstream] call the hooks of t.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceOf returns the trace of ctx; one without hooks where there is none.
func traceOf(ctx context.Context) *Trace {
	if t, _ := ctx.Value(traceKey{}).(*Trace); t != nil {
		return t
	}
	return &noTrace
}

// noTrace has no hooks.
var noTrace Trace

func (t *Trace) request(r *request, header http.Header, v *mapping.Values) {
	if t.Request != nil {
		t.Request(Question{r.Request, r.send, r.to.address}, header, v)
	}
}

func (t *Trace) urlRequest(q URLRequest, header http.Header) {
	if t.URLRequest != nil {
		t.URLRequest(q, header)
	}
}

func (t *Trace) response(a *mapping.Response) {
	if t.Response != nil {
		t.Response(a)
	}
}

func (t *Trace) failed(err error) {
	if t.Failed != nil {
		t.Failed(err)
	}
}

func (t *Trace) decided(x *Exchange, a *mapping.Response, next string, err error) {
	if t.Decided != nil {
		t.Decided(x, a, next, err)
	}
}

func (t *Trace) extracted(x *Exchange, a *mapping.Response, c *credential.Credential, err error) {
	if t.Extracted != nil {
		t.Extracted(x, a, c, err)
	}
}

func (t *Trace) described(s *userSource, doc any, object map[string]any, err error) {
	if t.Described != nil {
		t.Described(&s.Person, doc, s.jwt, object, err)
	}
}
