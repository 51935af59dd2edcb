package provider

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// authenticated finds out which client asks, or answers 401. Exactly one proof counts.
func (p clients) authenticated(w http.ResponseWriter, r *http.Request) (*Client, bool) {
	if r.ParseForm() != nil {
		refuse(w, http.StatusBadRequest, "invalid_request", "the body is not a form")
		return nil, false
	}
	c := p.prove(r)
	if c == nil {
		refuse(w, http.StatusUnauthorized, "invalid_client", "")
	}
	return c, c != nil
}

func (p clients) prove(r *http.Request) *Client {
	id, secret, basic := r.BasicAuth()
	form := r.PostForm
	switch {
	case basic:
		id, secret = unescape(id), unescape(secret)
		if form.Has("client_secret") || form.Has("client_id") && form.Get("client_id") != id {
			return nil
		}
		return p.bySecret(id, secret)
	case form.Has("client_secret"):
		return p.bySecret(form.Get("client_id"), form.Get("client_secret"))
	case form.Has("client_assertion"):
		return p.byAssertion(form)
	}
	return p.byCertificate(r)
}

func unescape(s string) string {
	s, err := url.QueryUnescape(s)
	if err != nil {
		return ""
	}
	return s
}

func (p clients) bySecret(id, secret string) *Client {
	c := p.registered(id)
	if c == nil || c.Secret == "" || subtle.ConstantTimeCompare([]byte(c.Secret), []byte(secret)) != 1 {
		return nil
	}
	return c
}

// byAssertion verifies private_key_jwt (OpenID Connect Core 1.0 §9).
func (p clients) byAssertion(form url.Values) *Client {
	c := p.registered(form.Get("client_id"))
	if c == nil || c.Keys == nil || form.Get("client_assertion_type") != assertionType {
		return nil
	}
	token, err := jwt.ParseSigned(form.Get("client_assertion"), []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA})
	if err != nil || len(c.Keys.Key(token.Headers[0].KeyID)) != 1 {
		return nil
	}
	var claims jwt.Claims
	if token.Claims(c.Keys.Key(token.Headers[0].KeyID)[0].Key, &claims) != nil {
		return nil
	}
	fits := claims.Issuer == c.ID && claims.Subject == c.ID && claims.Expiry != nil && claims.ID != "" &&
		(slices.Equal(claims.Audience, jwt.Audience{p.options.Issuer}) || slices.Equal(claims.Audience, jwt.Audience{p.at("/token")}))
	if !fits || claims.Validate(jwt.Expected{Time: p.now()}) != nil || !p.once("assertion "+claims.ID) {
		return nil
	}
	return c
}

// once reports whether a name comes for the first time.
func (p *state) once(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, used := p.proofs.get(name, p.now()); used {
		return false
	}
	p.proofs.put(name, true, p.now(), 10*time.Minute)
	return true
}

// byCertificate compares the certificate that was shown (RFC 8705 §2.2).
func (p clients) byCertificate(r *http.Request) *Client {
	c := p.registered(r.PostForm.Get("client_id"))
	if c == nil || len(c.Certificate) == 0 || r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	if subtle.ConstantTimeCompare(sum[:], c.Certificate) != 1 {
		return nil
	}
	return c
}

// refuse is an error response (RFC 6749 §5.2).
func refuse(w http.ResponseWriter, status int, code, description string) {
	doc := map[string]string{"error": code}
	if description != "" {
		doc["error_description"] = description
	}
	writeJSON(w, status, doc)
}
