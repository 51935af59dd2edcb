package oidc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"coatcheck/configs"
	"coatcheck/upstream"
)

const (
	// assertionType says that client_assertion is a JWT (RFC 7523 §2.2).
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionLife is how long an assertion of ours can be used.
	assertionLife = time.Minute
	// maxAssertion bounds the file with an assertion, in bytes.
	maxAssertion = 16 << 10
)

// proof is how the client proves itself. It holds the private key behind a pointer, so
// that it cannot be printed.
type proof struct {
	key crypto.Signer // nil: no private_key_jwt
	kid string
}

var errKeyKind = &upstream.KeyError{Key: "client_key", Err: errors.New("this kind of key cannot sign assertions")}

// newProof reads the key of private_key_jwt.
func newProof(c *configs.Provider) (*proof, error) {
	if c.ClientKey == "" || c.ClientCert != "" {
		return &proof{}, nil
	}
	text, err := os.ReadFile(c.ClientKey)
	if err != nil {
		return nil, &upstream.KeyError{Key: "client_key", Err: err}
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, &upstream.KeyError{Key: "client_key", Err: err}
	}
	p := &proof{key: key, kid: c.ClientKeyID}
	if p.kid == "" {
		public := jose.JSONWebKey{Key: key.Public()}
		print, err := public.Thumbprint(crypto.SHA256)
		if err != nil {
			return nil, errKeyKind
		}
		p.kid = base64.RawURLEncoding.EncodeToString(print)
	}
	_, err = p.algorithm(nil)
	return p, err
}

// parseKey reads a private key: PKCS #8, SEC 1 or PKCS #1 in PEM.
func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM in the file")
	}
	if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
	}
	if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	return nil, errors.New("no private key in the file")
}

// algorithm is what the key signs with, by its kind. An RSA key follows what the
// provider announces, PS256 only where RS256 is missing.
func (p *proof) algorithm(announced []string) (jose.SignatureAlgorithm, error) {
	switch key := p.key.(type) {
	case ed25519.PrivateKey:
		return jose.EdDSA, nil
	case *ecdsa.PrivateKey:
		switch key.Curve {
		case elliptic.P256():
			return jose.ES256, nil
		case elliptic.P384():
			return jose.ES384, nil
		case elliptic.P521():
			return jose.ES512, nil
		}
	case *rsa.PrivateKey:
		if key.N.BitLen() < minRSA {
			return "", &upstream.KeyError{Key: "client_key", Err: fmt.Errorf("RSA keys have at least %d bits", minRSA)}
		}
		if slices.Contains(announced, "PS256") && !slices.Contains(announced, "RS256") {
			return jose.PS256, nil
		}
		return jose.RS256, nil
	}
	return "", errKeyKind
}

// authenticate puts the client's proof into a request: by certificate (RFC 8705), by
// an assertion (RFC 7523), or by its secret (RFC 6749 §2.3.1). A client with none of
// them is public and only says its name.
func (p asker) authenticate(m *Metadata, form url.Values, header http.Header) error {
	c := p.config
	form.Set("client_id", c.ClientID)
	switch {
	case c.ClientCert != "":
		return nil
	case c.ClientAssertion.Path != "" || p.proof.key != nil:
		assertion, err := p.assertion(m)
		if err != nil {
			return err
		}
		form.Set("client_assertion_type", assertionType)
		form.Set("client_assertion", assertion)
	case c.ClientSecret.IsEmpty():
	case p.usesPost(m):
		form.Set("client_secret", c.ClientSecret.Reveal())
	default:
		form.Del("client_id")
		pair := url.QueryEscape(c.ClientID) + ":" + url.QueryEscape(c.ClientSecret.Reveal())
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return nil
}

// usesPost reports whether the secret goes into the body.
func (p asker) usesPost(m *Metadata) bool {
	switch p.config.ClientAuth {
	case "basic":
		return false
	case "post":
		return true
	}
	return slices.Contains(m.ClientAuth, "client_secret_post") && !slices.Contains(m.ClientAuth, "client_secret_basic")
}

// assertion is a fresh proof of who we are. Its audience is the issuer, and nothing
// else: a proof made for one provider must not serve at another.
func (p asker) assertion(m *Metadata) (string, error) {
	if path := p.config.ClientAssertion.Path; path != "" {
		return readAssertion(path)
	}
	alg, err := p.proof.algorithm(m.ClientAlgorithms)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: p.proof.key, KeyID: p.proof.kid}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", errors.New("client_key cannot sign")
	}
	audience := p.config.Issuer
	if audience == "" {
		audience = m.Token
	}
	now := p.now()
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: p.config.ClientID, Subject: p.config.ClientID, Audience: jwt.Audience{audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLife)),
	}).Serialize()
}

// readAssertion reads an assertion that somebody else made and renews.
func readAssertion(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("client_assertion: %w", err)
	}
	defer file.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(file, maxAssertion+1))
	if err != nil {
		return "", fmt.Errorf("client_assertion: %w", err)
	}
	assertion := strings.TrimSpace(string(text))
	if assertion == "" || len(text) > maxAssertion || !isVisible(assertion) {
		return "", errors.New("client_assertion: the file does not hold one assertion")
	}
	return assertion, nil
}
