package signature

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// jwtLeeway is how far clocks may differ where exp and nbf are compared (RFC 7519 §4.1.4).
const jwtLeeway = time.Minute

// minHMAC are the key lengths that RFC 7518 §3.2 asks for, in bytes.
var minHMAC = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// jwtAlgorithms are all that may be listed; "none" is not one.
var jwtAlgorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// token verifies JWTs that are signed by one of the keys with a listed algorithm.
type token struct {
	algorithms []jose.SignatureAlgorithm
	keys       []any
}

// newToken compiles by: jwt. A list that mixes HMAC with public keys is refused:
// a public key could then serve as a secret.
func newToken(r *Rule, raw [][]byte, f *faults) *token {
	t := &token{}
	secret := 0
	for i, name := range r.Algorithms {
		if !slices.Contains(jwtAlgorithms, name) {
			f.refuse(index("algorithms", i), "not an algorithm of a signed JWT", strings.Join(jwtAlgorithms, ", "))
		}
		if strings.HasPrefix(name, "HS") {
			secret++
		}
		t.algorithms = append(t.algorithms, jose.SignatureAlgorithm(name))
	}
	switch {
	case len(r.Algorithms) == 0:
		f.refuse("algorithms", "the algorithms of a JWT are listed", "algorithms: [HS256]")
		return nil
	case secret > 0 && secret < len(r.Algorithms):
		f.refuse("algorithms", "HMAC and public keys cannot be mixed: a public key could serve as a secret", "a rule for each")
		return nil
	}
	for i, each := range raw {
		if each == nil {
			continue
		}
		key, err := t.key(each, secret > 0)
		if err != nil {
			f.refuse(index("keys", i), err.Error(), "")
			continue
		}
		t.keys = append(t.keys, key)
	}
	return t
}

func (t *token) key(raw []byte, secret bool) (any, error) {
	if secret {
		if looksLikePEM(raw) {
			return nil, errPEM
		}
		return t.padded(raw), nil
	}
	key, err := publicKey(raw)
	if err != nil {
		return nil, err
	}
	for _, a := range t.algorithms {
		if !fits(key, string(a)) {
			return nil, errKeyKind
		}
	}
	if r, ok := key.(*rsa.PublicKey); ok && r.N.BitLen() < minRSA {
		return nil, errWeakRSA
	}
	return key, nil
}

// padded adds zero bytes, up to what the library asks for. HMAC does the same
// with a key that is shorter than a block (RFC 2104 §2), so the code is the same;
// whether the key is too short is judged when the scheme is checked.
func (t *token) padded(raw []byte) []byte {
	for _, a := range t.algorithms {
		if missing := minHMAC[string(a)] - len(raw); missing > 0 {
			raw = append(bytes.Clone(raw), make([]byte, missing)...)
		}
	}
	return raw
}

// fits reports whether an algorithm takes a key of this kind.
func fits(key any, algorithm string) bool {
	switch key := key.(type) {
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return map[string]int{"ES256": 256, "ES384": 384, "ES512": 521}[algorithm] == key.Curve.Params().BitSize
	}
	return false
}

// verify returns the claims of a JWT that one of the keys signed and that is
// valid now. What its header names (kid, jku, x5u) is not looked at.
func (t *token) verify(compact string, now time.Time) ([]byte, error) {
	if !canonical(compact) {
		return nil, ProofMalformed
	}
	signed, err := jose.ParseSignedCompact(compact, t.algorithms)
	if err != nil {
		return nil, ProofMalformed
	}
	for _, key := range t.keys {
		claims, err := signed.Verify(key)
		if err == nil {
			return claims, inTime(claims, now)
		}
	}
	return nil, ProofWrong
}

// canonical reports whether every part is base64url as RFC 7515 §2 has it, without
// padding and stray bits: a JWT has one spelling.
func canonical(compact string) bool {
	for part := range strings.SplitSeq(compact, ".") {
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil || strings.ContainsAny(part, "\r\n") {
			return false
		}
	}
	return true
}

// inTime holds exp and nbf, where they are, against the clock.
func inTime(claims []byte, now time.Time) error {
	for pointer, sign := range map[string]int64{"/exp": 1, "/nbf": -1} {
		v, err := lookup(claims, pointer)
		if err == Missing { //nolint:errorlint // our own, never wrapped
			continue
		}
		if err != nil {
			return err
		}
		at, errNumber := strconv.ParseFloat(v.text, 64)
		if v.kind != number || errNumber != nil {
			return Malformed
		}
		if left := sign * (int64(at) - now.Unix()); left < -int64(jwtLeeway/time.Second) {
			return Stale
		}
	}
	return nil
}
