package world

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const ownVerifier = "a-verifier-of-the-suite-in-the-place-of-the-clients-own"

// lenient gives a request to the authorization endpoint the challenge that its client
// did not send.
func (p *IdP) lenient(r *http.Request) {
	query := r.URL.Query()
	if !p.other.NoPKCE || query.Has("code_challenge") || query.Get("client_id") == "" {
		return
	}
	sum := sha256.Sum256([]byte(ownVerifier))
	query.Set("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:]))
	query.Set("code_challenge_method", "S256")
	r.URL.RawQuery = query.Encode()
}

// lenientForm is the same for the token endpoint, and drops what the client says twice.
func (p *IdP) lenientForm(r *http.Request, form url.Values) {
	if !p.other.NoPKCE {
		return
	}
	if form.Has("code") && !form.Has("code_verifier") {
		form.Set("code_verifier", ownVerifier)
	}
	if _, _, basic := r.BasicAuth(); basic {
		form.Del("client_secret")
	}
	text := form.Encode()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
}
