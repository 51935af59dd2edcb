package provider

import (
	"crypto"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// proofClaims are the payload of a proof (RFC 9449 §4.2).
type proofClaims struct {
	ID     string           `json:"jti"`
	Method string           `json:"htm"`
	URL    string           `json:"htu"`
	Issued *jwt.NumericDate `json:"iat"`
	Token  string           `json:"ath"`
	Nonce  string           `json:"nonce"`
}

// bound returns the thumbprint of the key that a request proves; "" where it proves
// none. ok is false where the request was answered: the proof is bad, or lacks our nonce.
func (p clients) bound(w http.ResponseWriter, r *http.Request, token string) (thumbprint string, ok bool) {
	proofs := r.Header.Values("DPoP")
	if len(proofs) == 0 || p.options.NoDPoP {
		return "", true
	}
	thumbprint, claims := readProof(proofs)
	age := p.now().Sub(time.Unix(0, 0))
	if claims != nil && claims.Issued != nil {
		age = p.now().Sub(claims.Issued.Time())
	}
	switch {
	case claims == nil, claims.Method != r.Method, claims.URL != p.seenAt(r), age > time.Minute || age < -time.Minute, token != "" && claims.Token != hash(token), claims.ID == "":
		refuse(w, http.StatusBadRequest, "invalid_dpop_proof", "")
		return "", false
	case p.options.DPoPNonces && claims.Nonce != p.nonceNow():
		p.askNonce(w, token != "")
		return "", false
	case !p.once("proof " + claims.ID):
		refuse(w, http.StatusBadRequest, "invalid_dpop_proof", "the proof was used before")
		return "", false
	}
	return thumbprint, true
}

// readProof verifies a proof with the key in its header.
func readProof(proofs []string) (string, *proofClaims) {
	if len(proofs) != 1 {
		return "", nil
	}
	token, err := jwt.ParseSigned(proofs[0], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil || token.Headers[0].JSONWebKey == nil || !token.Headers[0].JSONWebKey.IsPublic() || token.Headers[0].ExtraHeaders["typ"] != "dpop+jwt" {
		return "", nil
	}
	key, claims := token.Headers[0].JSONWebKey, &proofClaims{}
	if token.Claims(key.Key, claims) != nil {
		return "", nil
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", nil
	}
	return encode(sum), claims
}

// seenAt is the address that a client used for this request.
func (p *state) seenAt(r *http.Request) string {
	if r.TLS != nil && p.options.MTLS != "" && len(r.TLS.PeerCertificates) > 0 {
		return p.options.MTLS + r.URL.Path
	}
	return p.at(r.URL.Path)
}

func (p *state) nonceNow() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nonce
}

// NextNonce makes proofs with the nonce of before be asked for the new one.
func (p *Provider) NextNonce() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = random()
}

// askNonce demands our nonce (RFC 9449 §8, §9).
func (p clients) askNonce(w http.ResponseWriter, resource bool) {
	w.Header().Set("DPoP-Nonce", p.nonceNow())
	if resource {
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		refuse(w, http.StatusUnauthorized, "use_dpop_nonce", "")
		return
	}
	refuse(w, http.StatusBadRequest, "use_dpop_nonce", "")
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return encode(sum[:])
}
