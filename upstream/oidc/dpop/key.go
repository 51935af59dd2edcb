// Package dpop proves that a token is used by the session that it was given to (RFC 9449).
//
// [NewKey] makes the key of a session at sign-in; the provider binds the tokens to it, and
// [Key.Secret] is sealed beside them. Each request with such a token carries a proof that
// [Key.Proof] signs. [Keys] keeps keys ready to sign, and [Nonces] what servers want to see
// in the next proof.
package dpop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
)

// Key is the key that one session's tokens are bound to: ES256, made at sign-in, sealed
// with the tokens. It does not print.
type Key struct {
	secret credential.Secret
	key    *ecdsa.PrivateKey
	header string // of every proof, encoded, with the dot behind it
}

var errNoKey = errors.New("dpop: not a key")

// NewKey makes a key.
func NewKey() (*Key, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return newKey(key, credential.NewSecret(base64.RawStdEncoding.EncodeToString(der)))
}

// ParseKey reads what [Key.Secret] returned. It costs about as much as a proof: keep the
// result where several proofs are made, as [Keys] does.
func ParseKey(secret credential.Secret) (*Key, error) {
	der, err := base64.RawStdEncoding.DecodeString(secret.Reveal())
	if err != nil {
		return nil, errNoKey
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errNoKey
	}
	return newKey(key, secret)
}

// newKey writes the header of the key's proofs once: all of them have the same.
func newKey(key *ecdsa.PrivateKey, secret credential.Secret) (*Key, error) {
	header, err := json.Marshal(struct {
		Type      string          `json:"typ"`
		Algorithm string          `json:"alg"`
		Key       jose.JSONWebKey `json:"jwk"`
	}{"dpop+jwt", string(jose.ES256), jose.JSONWebKey{Key: key.Public()}})
	if err != nil {
		return nil, errNoKey
	}
	return &Key{secret, key, base64.RawURLEncoding.EncodeToString(header) + "."}, nil
}

// Secret is the private key, to be sealed: base64 of PKCS #8.
func (k *Key) Secret() credential.Secret { return k.secret }
