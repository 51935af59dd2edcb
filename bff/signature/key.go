package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"hash"
	"strings"
)

// minRSA is the least length of an RSA key in bits, as for the JWTs of RFC 7518 §3.3.
const minRSA = 2048

// hashes of the HMAC algorithms.
var hashes = map[string]func() hash.Hash{
	HMACSHA1: sha1.New, HMACSHA256: sha256.New, HMACSHA384: sha512.New384, HMACSHA512: sha512.New,
}

// verifier is one key with its algorithm. message writes what was signed.
type verifier interface {
	// prepare returns what compares proofs with the message.
	prepare(message func(w hash.Hash) error, whole func() ([]byte, error)) (func(proof []byte) bool, error)
}

// hmacKey computes the code once, however many proofs came.
type hmacKey struct {
	hash func() hash.Hash
	key  []byte
}

func (k hmacKey) prepare(message func(hash.Hash) error, _ func() ([]byte, error)) (func([]byte) bool, error) {
	mac := hmac.New(k.hash, k.key)
	if err := message(mac); err != nil {
		return nil, err
	}
	sum := mac.Sum(nil)
	return func(proof []byte) bool { return hmac.Equal(sum, proof) }, nil
}

func (k hmacKey) sum(raw []byte) []byte {
	mac := hmac.New(k.hash, k.key)
	mac.Write(raw)
	return mac.Sum(nil)
}

type ed25519Key struct{ key ed25519.PublicKey }

func (k ed25519Key) prepare(_ func(hash.Hash) error, whole func() ([]byte, error)) (func([]byte) bool, error) {
	message, err := whole()
	return func(proof []byte) bool { return ed25519.Verify(k.key, message, proof) }, err
}

type ecdsaKey struct{ key *ecdsa.PublicKey }

func (k ecdsaKey) prepare(message func(hash.Hash) error, _ func() ([]byte, error)) (func([]byte) bool, error) {
	h := sha256.New()
	err := message(h)
	sum := h.Sum(nil)
	return func(proof []byte) bool { return ecdsa.VerifyASN1(k.key, sum, proof) }, err
}

type rsaKey struct{ key *rsa.PublicKey }

func (k rsaKey) prepare(message func(hash.Hash) error, _ func() ([]byte, error)) (func([]byte) bool, error) {
	h := sha256.New()
	err := message(h)
	sum := h.Sum(nil)
	return func(proof []byte) bool { return rsa.VerifyPKCS1v15(k.key, crypto.SHA256, sum, proof) == nil }, err
}

// equalKey is a secret that the call itself carries. Hashing first hides its length.
type equalKey struct{ sum [sha256.Size]byte }

func (k equalKey) prepare(func(hash.Hash) error, func() ([]byte, error)) (func([]byte) bool, error) {
	return func(proof []byte) bool {
		sum := sha256.Sum256(proof)
		return subtle.ConstantTimeCompare(k.sum[:], sum[:]) == 1
	}, nil
}

var (
	errEmptyKey  = errors.New("the key is empty")
	errPEM       = errors.New("an HMAC key that looks like PEM: a public key would be everybody's secret")
	errPrefix    = errors.New("the key does not begin with key.prefix")
	errKeyText   = errors.New("the key is not of key.encoding")
	errPublicKey = errors.New("not a public key: raw ed25519 (32 bytes), DER (SubjectPublicKeyInfo or PKCS #1) or PEM")
	errKeyKind   = errors.New("the key is of another kind than the algorithm")
	errWeakRSA   = errors.New("an RSA key needs at least 2048 bits")
)

// keyBytes decodes a key as the operator wrote it.
func (r *Rule) keyBytes(written string) ([]byte, error) {
	if written == "" {
		return nil, errEmptyKey
	}
	rest, ok := strings.CutPrefix(written, r.KeyPrefix)
	if !ok {
		return nil, errPrefix
	}
	encoding := r.Encoding
	if encoding == "" {
		encoding = "text"
	}
	raw, err := decode(rest, encoding)
	switch {
	case err != nil:
		return nil, errKeyText
	case len(raw) == 0:
		return nil, errEmptyKey
	}
	return raw, nil
}

// newVerifier makes the key that the algorithm needs.
func (r *Rule) newVerifier(raw []byte) (verifier, error) {
	switch r.By {
	case Equal:
		return equalKey{sha256.Sum256(raw)}, nil
	case Ed25519, ECDSASHA256, RSASHA256:
		return newPublic(r.By, raw)
	}
	if looksLikePEM(raw) {
		return nil, errPEM
	}
	return hmacKey{hashes[r.By], raw}, nil
}

func looksLikePEM(raw []byte) bool { return strings.Contains(string(raw), "-----BEGIN") }

func newPublic(by string, raw []byte) (verifier, error) {
	key, err := publicKey(raw)
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case ed25519.PublicKey:
		if by == Ed25519 {
			return ed25519Key{key}, nil
		}
	case *ecdsa.PublicKey:
		if by == ECDSASHA256 {
			return ecdsaKey{key}, nil
		}
	case *rsa.PublicKey:
		if by == RSASHA256 && key.N.BitLen() < minRSA {
			return nil, errWeakRSA
		}
		if by == RSASHA256 {
			return rsaKey{key}, nil
		}
	}
	return nil, errKeyKind
}

// publicKey reads raw ed25519, DER or PEM.
func publicKey(raw []byte) (crypto.PublicKey, error) {
	if block, _ := pem.Decode(raw); block != nil {
		raw = block.Bytes
	}
	if len(raw) == ed25519.PublicKeySize {
		return ed25519.PublicKey(raw), nil
	}
	if key, err := x509.ParsePKIXPublicKey(raw); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PublicKey(raw); err == nil {
		return key, nil
	}
	return nil, errPublicKey
}
