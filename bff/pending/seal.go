package pending

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/keyring"
)

const (
	purposeSeal = "coatcheck/v1/attempt"
	version     = 1
	keyIDLen    = 4
	headerLen   = 1 + keyIDLen
	// MaxState bounds a state, in bytes: a page address of 1 KiB, sealed, fits.
	MaxState = 4096
)

var (
	// ErrState says that a state is not ours, was changed, or belongs elsewhere.
	ErrState = errors.New("pending: state does not open")
	// ErrTooLong says that an attempt does not fit into a state.
	ErrTooLong = errors.New("pending: state is too long")
)

// Sealer seals attempts under the server's keys. It is immutable.
type Sealer struct{ keys []sealingKey }

type sealingKey struct {
	id   [keyIDLen]byte
	aead cipher.AEAD
}

// NewSealer makes a sealer of the server's keys: the first seals, all of them open. Errors
// are those of [keyring.New].
func NewSealer(keys []credential.Secret) (*Sealer, error) {
	ring, err := keyring.New(keys)
	if err != nil {
		return nil, err
	}
	s := &Sealer{}
	for _, k := range ring.Keys() {
		aead, err := k.Cipher(purposeSeal)
		if err != nil {
			return nil, err
		}
		s.keys = append(s.keys, sealingKey{[keyIDLen]byte(k.ID()), aead})
	}
	return s, nil
}

// contents are what is in the box.
type contents struct {
	ID       []byte   `json:"i"`
	Began    int64    `json:"t"` // milliseconds since 1970
	Restarts int      `json:"n,omitempty"`
	Browser  []byte   `json:"b"`
	ReturnTo string   `json:"r,omitempty"`
	Prompt   string   `json:"p,omitempty"`
	ACR      []string `json:"a,omitempty"`
	MaxAge   *int64   `json:"m,omitempty"` // seconds
	Session  string   `json:"s,omitempty"`
	Hint     string   `json:"h,omitempty"`
	Locales  string   `json:"l,omitempty"`
}

// Seal makes the state of an attempt.
func (s *Sealer) Seal(a Attempt) (string, error) {
	c := contents{ID: a.ID[:], Began: a.Began.UnixMilli(), Restarts: a.Restarts, Browser: a.browser[:], ReturnTo: a.ReturnTo,
		Prompt: a.Prompt, ACR: a.ACR, Session: a.Session, Hint: a.LoginHint, Locales: a.UILocales}
	if a.MaxAge != nil {
		seconds := int64(*a.MaxAge / time.Second)
		c.MaxAge = &seconds
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	k := s.keys[0]
	b := append([]byte{version}, k.id[:]...)
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	b = append(b, nonce...)
	b = k.aead.Seal(b, nonce, plain, place(b[:headerLen], a.Frontend, a.Provider, a.RedirectURI))
	state := a.Frontend + "." + base64.RawURLEncoding.EncodeToString(b)
	switch {
	case len(state) <= MaxState:
		return state, nil
	case a.LoginHint != "" || a.UILocales != "":
		a.LoginHint, a.UILocales = "", ""
		return s.Seal(a)
	}
	return "", ErrTooLong
}

// place is the associated data: the header and where the attempt belongs.
func place(header []byte, parts ...string) []byte {
	ad := bytes.Clone(header)
	for _, part := range parts {
		ad = binary.AppendUvarint(ad, uint64(len(part)))
		ad = append(ad, part...)
	}
	return ad
}

// Frontend is the frontend that a state names in the clear; false where it is no state.
// Nothing is proved by it.
func Frontend(state string) (string, bool) {
	dot := strings.LastIndexByte(state, '.')
	if dot <= 0 || len(state) > MaxState {
		return "", false
	}
	return state[:dot], true
}

// Open opens a state at the callback of provider and redirectURI; [ErrState] where it
// does not open there.
func (s *Sealer) Open(state, provider, redirectURI string) (Attempt, error) {
	frontend, ok := Frontend(state)
	if !ok {
		return Attempt{}, ErrState
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(state[len(frontend)+1:])
	if err != nil || len(b) < headerLen || b[0] != version {
		return Attempt{}, ErrState
	}
	for _, k := range s.keys {
		if !bytes.Equal(k.id[:], b[1:headerLen]) || len(b) < headerLen+k.aead.NonceSize() {
			continue
		}
		rest := b[headerLen:]
		plain, err := k.aead.Open(nil, rest[:k.aead.NonceSize()], rest[k.aead.NonceSize():], place(b[:headerLen], frontend, provider, redirectURI))
		if err == nil {
			return read(plain, Attempt{Frontend: frontend, Provider: provider, RedirectURI: redirectURI})
		}
	}
	return Attempt{}, ErrState
}

// read fills a with what was in the box.
func read(plain []byte, a Attempt) (Attempt, error) {
	var c contents
	d := json.NewDecoder(bytes.NewReader(plain))
	d.DisallowUnknownFields()
	if d.Decode(&c) != nil || len(c.ID) != len(a.ID) || len(c.Browser) != len(a.browser) || c.Restarts < 0 {
		return Attempt{}, ErrState
	}
	a.ID, a.browser = ID(c.ID), [sha256.Size]byte(c.Browser)
	a.Began, a.Restarts, a.ReturnTo = time.UnixMilli(c.Began), c.Restarts, c.ReturnTo
	a.Prompt, a.ACR, a.Session = c.Prompt, c.ACR, c.Session
	a.LoginHint, a.UILocales = c.Hint, c.Locales
	if c.MaxAge != nil {
		age := time.Duration(*c.MaxAge) * time.Second
		a.MaxAge = &age
	}
	return a, nil
}
