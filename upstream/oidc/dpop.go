package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"coatcheck/bff/credential"
)

// DPoPKeyPair is the key that one session's tokens are bound to (RFC 9449): ES256,
// made at sign-in, sealed with the tokens. It does not print.
type DPoPKeyPair struct {
	secret credential.Secret
	signer jose.Signer
}

// NewDPoPKey makes a key.
func NewDPoPKey() (*DPoPKeyPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return newKeyPair(key, credential.NewSecret(base64.RawStdEncoding.EncodeToString(der)))
}

// ParseDPoPKey reads what [DPoPKeyPair.Secret] returned. It costs a few microseconds;
// who makes many proofs with one key keeps the result.
func ParseDPoPKey(secret credential.Secret) (*DPoPKeyPair, error) {
	der, err := base64.RawStdEncoding.DecodeString(secret.Reveal())
	if err != nil {
		return nil, errors.New("oidc: not a DPoP key")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("oidc: not a DPoP key")
	}
	return newKeyPair(key, secret)
}

func newKeyPair(key *ecdsa.PrivateKey, secret credential.Secret) (*DPoPKeyPair, error) {
	options := (&jose.SignerOptions{EmbedJWK: true}).WithType("dpop+jwt")
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	if err != nil {
		return nil, errors.New("oidc: DPoP key cannot sign")
	}
	return &DPoPKeyPair{secret, signer}, nil
}

// Secret is the private key, to be sealed: base64 of PKCS #8.
func (k *DPoPKeyPair) Secret() credential.Secret { return k.secret }

// Proof is the request that a proof is for.
type Proof struct {
	Method string
	// URL is the request's; query and fragment are left out of htu (RFC 9449 §4.2).
	URL string
	// AccessToken is the token that goes along; empty at the token endpoint.
	AccessToken credential.Secret
	// Nonce is the server's, where it gave one.
	Nonce string
	// Now is the time of the proof.
	Now time.Time
}

// proofClaims are the payload of a proof (RFC 9449 §4.2).
type proofClaims struct {
	ID     string           `json:"jti"`
	Method string           `json:"htm"`
	URL    string           `json:"htu"`
	Issued *jwt.NumericDate `json:"iat"`
	Token  string           `json:"ath,omitempty"`
	Nonce  string           `json:"nonce,omitempty"`
}

// Proof makes the value of the DPoP header for one request. Each is used once.
func (k *DPoPKeyPair) Proof(of Proof) (string, error) {
	u, err := url.Parse(of.URL)
	if err != nil {
		return "", errors.New("oidc: a proof is for a URL")
	}
	u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment, u.User = "", false, "", "", nil
	c := proofClaims{ID: rand.Text(), Method: of.Method, URL: u.String(), Issued: jwt.NewNumericDate(of.Now), Nonce: of.Nonce}
	if !of.AccessToken.IsEmpty() {
		sum := sha256.Sum256(of.AccessToken.AppendReveal(nil))
		c.Token = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return jwt.Signed(k.signer).Claims(c).Serialize()
}

// newKey makes a key where tokens are to be bound; nil where not. wanted says that the
// API takes such tokens.
func (p *Provider) newKey(m *Metadata, wanted bool) (*DPoPKeyPair, error) {
	announced := slices.Contains(m.DPoPAlgorithms, string(jose.ES256))
	switch p.config.DPoP {
	case "off":
		return nil, nil
	case "required":
		return NewDPoPKey()
	}
	if announced && wanted {
		return NewDPoPKey()
	}
	return nil, nil
}

const (
	// maxNonces bounds the servers whose nonces are known.
	maxNonces = 64
	// maxNonce bounds a nonce, in bytes.
	maxNonce = 256
)

// nonces are the last nonces of servers, by host. Servers take one for several proofs.
type nonces struct {
	mu     sync.Mutex
	byHost map[string]string
}

// Nonce is the last nonce that the server of address gave; empty where it gave none.
func (p *Provider) Nonce(address string) string {
	p.nonces.mu.Lock()
	defer p.nonces.mu.Unlock()
	return p.nonces.byHost[hostOf(address)]
}

// NoteNonce keeps the DPoP-Nonce header of an answer of address (RFC 9449 §8.2).
func (p *Provider) NoteNonce(address, nonce string) {
	if nonce == "" || len(nonce) > maxNonce || !isVisible(nonce) {
		return
	}
	p.nonces.mu.Lock()
	defer p.nonces.mu.Unlock()
	host := hostOf(address)
	if _, known := p.nonces.byHost[host]; !known && len(p.nonces.byHost) >= maxNonces || p.nonces.byHost == nil {
		p.nonces.byHost = map[string]string{}
	}
	p.nonces.byHost[host] = nonce
}
