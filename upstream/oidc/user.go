package oidc

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/upstream/oidc/dpop"
	"coatcheck/upstream/signin"
)

// Userinfo asks the provider to describe the person of c (OpenID Connect Core 1.0
// §5.3). subject is whose document it must be.
func (p *Provider) Userinfo(ctx context.Context, c *credential.Credential, subject string) (map[string]json.RawMessage, error) {
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := p.userinfo(ctx, m, c, subject)
	return doc, p.within("userinfo", err)
}

func (p people) userinfo(ctx context.Context, m *Metadata, c *credential.Credential, subject string) (map[string]json.RawMessage, error) {
	if m.Userinfo == "" {
		return nil, failed("metadata has no userinfo_endpoint")
	}
	doc, err := p.resource(ctx, "userinfo", p.endpoint(m.Userinfo, m.MTLS.Userinfo), c)
	if err != nil {
		return nil, err
	}
	var said string
	if json.Unmarshal(doc["sub"], &said) != nil || said == "" || said != subject {
		return nil, failed("sub is not the ID token's") // §5.3.2
	}
	return doc, nil
}

// mergeUserinfo adds the userinfo document to the person. The ID token's own sub and
// iss stay.
func (p people) mergeUserinfo(ctx context.Context, m *Metadata, r *Result) error {
	doc, err := p.userinfo(ctx, m, r.Credential, r.Subject)
	if err != nil {
		return err
	}
	for _, name := range append([]string{"iss", "sub"}, ofProtocol...) {
		delete(doc, name)
	}
	maps.Copy(r.User, doc)
	return nil
}

// readUser asks a provider without ID tokens who signed in.
func (p people) readUser(ctx context.Context, m *Metadata, r *Result) error {
	who := p.config.User
	if who == nil {
		return failed("the provider gives no ID token, and user does not say where the person is")
	}
	reply, err := p.resourceBody(ctx, "user", who.URL, r.Credential)
	if err != nil {
		return err
	}
	doc, err := decodeJSON(reply)
	if err != nil {
		return err
	}
	object, ok := at(doc, who.At).(map[string]any)
	if !ok {
		return failed("nothing at the place that user points to")
	}
	subject, ok := subjectText(at(object, who.Subject))
	if !ok {
		return failed("the person has no subject")
	}
	r.Subject, r.User = subject, map[string]json.RawMessage{}
	for name, value := range object {
		if text, err := json.Marshal(value); err == nil {
			r.User[name] = text
		}
	}
	for _, name := range []string{"access_token", "refresh_token", "id_token"} {
		delete(r.User, name)
	}
	return nil
}

// subjectText is what names a person: text, or a number as it was written.
func subjectText(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, v != "" && len(v) <= 255
	case json.Number:
		return v.String(), len(v) <= 255
	}
	return "", false
}

// resource asks a JSON object with the access token.
func (p asker) resource(ctx context.Context, what, address string, c *credential.Credential) (map[string]json.RawMessage, error) {
	body, err := p.resourceBody(ctx, what, address, c)
	if err != nil {
		return nil, err
	}
	var doc map[string]json.RawMessage
	if json.Unmarshal(body, &doc) != nil || doc == nil {
		return nil, failed("the document is not a JSON object")
	}
	return doc, nil
}

// resourceBody asks with the access token, as Bearer or, where the token is bound to
// a key, with a proof; a nonce that is asked for is put in once.
func (p asker) resourceBody(ctx context.Context, what, address string, c *credential.Credential) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout())
	defer cancel()
	began := time.Now()
	reply, err := p.askResource(ctx, address, c)
	if err == nil && reply.Status == http.StatusUnauthorized && !c.Value(DPoPKey).IsEmpty() && strings.Contains(reply.Header.Get("WWW-Authenticate"), "use_dpop_nonce") {
		reply, err = p.askResource(ctx, address, c)
	}
	if err == nil {
		err = errorIn(reply)
	}
	if p.observe(what, began, err) != nil {
		return nil, err
	}
	return reply.Body, nil
}

func (p asker) askResource(ctx context.Context, address string, c *credential.Credential) (*signin.URLResponse, error) {
	key, err := keyOf(c)
	if err != nil {
		return nil, err
	}
	token := c.Value(credential.AccessToken)
	header := http.Header{"Authorization": {"Bearer " + token.Reveal()}}
	if key != nil {
		proof, err := key.Proof(dpop.Request{Method: http.MethodGet, URL: address, AccessToken: token, Nonce: p.Nonce(address), Now: p.now()})
		if err != nil {
			return nil, err
		}
		header = http.Header{"Authorization": {"DPoP " + token.Reveal()}, "Dpop": {proof}}
	}
	reply, err := ask(ctx, p.auth, signin.URLRequest{URL: address, Header: header}) // a token may be bound to the certificate (RFC 8705 §3)
	if err != nil {
		return nil, err
	}
	p.NoteNonce(address, reply.Header.Get("DPoP-Nonce"))
	return reply, nil
}
