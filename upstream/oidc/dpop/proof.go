package dpop

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"coatcheck/bff/credential"
)

// Request is what a proof is for.
type Request struct {
	// Method of the request (htm).
	Method string
	// URL is the request's, as it is sent; query and fragment are left out of htu
	// (RFC 9449 §4.2).
	URL string
	// AccessToken is the token that goes along; empty at the token endpoint.
	AccessToken credential.Secret
	// Nonce is the server's, where it gave one.
	Nonce string
	// Now is the time of the proof.
	Now time.Time
}

// Proof makes the value of the DPoP header for one request. Each is used once.
func (k *Key) Proof(of Request) (string, error) {
	payload, err := of.payload()
	if err != nil {
		return "", err
	}
	proof := make([]byte, 0, len(k.header)+base64.RawURLEncoding.EncodedLen(len(payload))+1+base64.RawURLEncoding.EncodedLen(signatureSize))
	proof = append(proof, k.header...)
	proof = base64.RawURLEncoding.AppendEncode(proof, payload)
	signature, err := k.sign(proof)
	if err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(proof, '.'), signature[:])), nil
}

// payload are the claims of a proof (RFC 9449 §4.2).
func (of *Request) payload() ([]byte, error) {
	end := strings.IndexAny(of.URL, "?#")
	if end < 0 {
		end = len(of.URL)
	}
	htu := of.URL[:end]
	if !isVisible(htu) || !isVisible(of.Method) || !strings.Contains(htu, "://") {
		return nil, errors.New("dpop: a proof is for a URL")
	}
	b := make([]byte, 0, 256+len(htu))
	b = append(append(b, `{"jti":"`...), rand.Text()...)
	b = appendText(append(b, `","htm":`...), of.Method)
	b = appendText(append(b, `,"htu":`...), htu)
	b = strconv.AppendInt(append(b, `,"iat":`...), of.Now.Unix(), 10)
	if !of.AccessToken.IsEmpty() {
		var room [1024]byte
		sum := sha256.Sum256(of.AccessToken.AppendReveal(room[:0]))
		b = append(base64.RawURLEncoding.AppendEncode(append(b, `,"ath":"`...), sum[:]), '"')
	}
	if of.Nonce != "" {
		b = appendText(append(b, `,"nonce":`...), of.Nonce)
	}
	return append(b, '}'), nil
}

// appendText appends visible ASCII as a JSON string.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return append(b, '"')
}

// signatureSize is the length of an ES256 signature: r and s (RFC 7518 §3.4).
const signatureSize = 64

func (k *Key) sign(text []byte) (signature [signatureSize]byte, err error) {
	sum := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, k.key, sum[:])
	if err != nil {
		return signature, err
	}
	r.FillBytes(signature[:signatureSize/2])
	s.FillBytes(signature[signatureSize/2:])
	return signature, nil
}

// isVisible reports whether s is visible ASCII, as a serialised URL and a nonce are.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
