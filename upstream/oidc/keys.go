package oidc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// maxKeys bounds a key set.
	maxKeys = 100
	// minRSA is the least length of an RSA key, in bits (RFC 7518 §3.3).
	minRSA = 2048
)

// algorithms are all that may sign a token here: never none, never HMAC.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}

// keySet is a provider's public keys that may verify signatures.
type keySet struct{ keys []jose.JSONWebKey }

// fetchKeys fetches the provider's keys (RFC 7517 §5).
func (p *link) fetchKeys(ctx context.Context) (*keySet, error) {
	m, err := p.Metadata(ctx)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	body, err := p.document(ctx, m.Keys)
	if err != nil {
		return nil, p.observe("keys", began, err)
	}
	set, err := parseKeys(body)
	return set, p.observe("keys", began, err)
}

// parseKeys reads a JWK set. A key that cannot be used is left out, so that a provider
// can publish kinds that we do not know; a set without a usable key is refused.
func parseKeys(body []byte) (*keySet, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if readExactly(body, &doc) != nil {
		return nil, failed("keys are not a JWK set")
	}
	if len(doc.Keys) > maxKeys {
		return nil, failed("key set has more than %d keys", maxKeys)
	}
	set := &keySet{}
	for _, raw := range doc.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(raw) == nil && isUsable(&k) && mayVerify(raw) {
			set.keys = append(set.keys, k)
		}
	}
	if len(set.keys) == 0 {
		return nil, failed("key set has no key that can be used")
	}
	return set, nil
}

// isUsable reports whether k is a public key that may verify: a private or symmetric
// key that somebody published proves nothing.
func isUsable(k *jose.JSONWebKey) bool {
	if !k.IsPublic() || !k.Valid() || k.Use != "" && k.Use != "sig" {
		return false
	}
	return slices.ContainsFunc(algorithms, func(alg jose.SignatureAlgorithm) bool { return fits(k, alg) })
}

// mayVerify reports whether key_ops, where a key says what it is for, has "verify" (RFC
// 7517 §4.3).
func mayVerify(raw []byte) bool {
	var key struct {
		Operations []string `json:"key_ops"`
	}
	return json.Unmarshal(raw, &key) == nil && (key.Operations == nil || slices.Contains(key.Operations, "verify"))
}

// fits reports whether k's type, curve and length are those of alg (RFC 7518 §3.1,
// RFC 8037 §3.1), and alg is the one that k names, if it names one.
func fits(k *jose.JSONWebKey, alg jose.SignatureAlgorithm) bool {
	if k.Algorithm != "" && k.Algorithm != string(alg) {
		return false
	}
	switch alg {
	case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512:
		key, ok := k.Key.(*rsa.PublicKey)
		return ok && key.N.BitLen() >= minRSA
	case jose.ES256:
		return isCurve(k.Key, elliptic.P256())
	case jose.ES384:
		return isCurve(k.Key, elliptic.P384())
	case jose.ES512:
		return isCurve(k.Key, elliptic.P521())
	case jose.EdDSA:
		_, ok := k.Key.(ed25519.PublicKey)
		return ok
	}
	return false
}

func isCurve(key crypto.PublicKey, curve elliptic.Curve) bool {
	k, ok := key.(*ecdsa.PublicKey)
	return ok && k.Curve == curve
}

// find returns the one key that a signature names, or, where it names none, the only
// one that fits (OpenID Connect Core 1.0 §10.1).
func (s *keySet) find(kid string, alg jose.SignatureAlgorithm) (*jose.JSONWebKey, bool) {
	var found *jose.JSONWebKey
	for i := range s.keys {
		k := &s.keys[i]
		if !fits(k, alg) || kid != "" && k.KeyID != kid {
			continue
		}
		if found != nil {
			return nil, false // two keys answer to it: nobody can say which one is meant
		}
		found = k
	}
	return found, found != nil
}

// KeysAge is how old the known keys are; false where none are known.
func (p *Provider) KeysAge() (time.Duration, bool) { return p.keys.Age() }

// Keys fetches the provider's keys where they are not known or old, and returns how
// many of them can be used.
func (p *Provider) Keys(ctx context.Context) (int, error) {
	set, err := p.keys.Get(ctx)
	if err != nil {
		return 0, p.within("keys", err)
	}
	return len(set.keys), nil
}
