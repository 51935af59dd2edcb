package pending

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"

	"coatcheck/bff/credential"
)

const (
	// browserLen is the length of a browser's secret, in bytes.
	browserLen = 32
	// cookieLen is its length as the cookie's text.
	cookieLen = 43

	purposeNonce    = "coatcheck/v1/attempt-nonce"
	purposeVerifier = "coatcheck/v1/attempt-verifier"
)

// ErrCookie says that a text is not the value of a cookie of ours.
var ErrCookie = errors.New("pending: not the cookie of an attempt")

// Browser is the secret of one browser at one frontend. It opens nothing by itself.
type Browser struct{ secret credential.Secret }

// NewBrowser makes a secret for a browser that has none.
func NewBrowser() Browser {
	raw := make([]byte, browserLen)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the process instead
	return Browser{credential.NewSecret(string(raw))}
}

// ParseBrowser reads a cookie's value; [ErrCookie] where it is none of ours.
func ParseBrowser(cookie string) (Browser, error) {
	if len(cookie) != cookieLen {
		return Browser{}, ErrCookie
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cookie)
	if err != nil || len(raw) != browserLen {
		return Browser{}, ErrCookie
	}
	return Browser{credential.NewSecret(string(raw))}, nil
}

// IsZero reports whether there is no secret: no cookie came.
func (b Browser) IsZero() bool { return b.secret.IsEmpty() }

// Cookie is the cookie's value, 43 characters.
func (b Browser) Cookie() string {
	return base64.RawURLEncoding.EncodeToString(b.secret.AppendReveal(nil))
}

// Name names the browser in the store, one way: 64 hexadecimal digits.
func (b Browser) Name() string {
	sum := b.hash()
	return hex.EncodeToString(sum[:])
}

func (b Browser) hash() [sha256.Size]byte { return sha256.Sum256(b.secret.AppendReveal(nil)) }

// fits compares in constant time.
func (b Browser) fits(hash [sha256.Size]byte) bool {
	own := b.hash()
	return !b.IsZero() && subtle.ConstantTimeCompare(own[:], hash[:]) == 1
}

// derive is HKDF-SHA256 of the secret for one attempt and purpose, as text of 43
// characters.
func (b Browser) derive(id ID, purpose string) (string, error) {
	if b.IsZero() {
		return "", ErrCookie
	}
	key, err := hkdf.Key(sha256.New, b.secret.AppendReveal(nil), id[:], purpose, 32)
	return base64.RawURLEncoding.EncodeToString(key), err
}
