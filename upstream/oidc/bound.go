package oidc

import (
	"slices"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/credential"
	"coatcheck/upstream/oidc/dpop"
)

// newKey makes a key where tokens are to be bound; nil where not. wanted says that the
// API takes such tokens: otherwise a provider that offers to bind them is left alone.
func (p asker) newKey(m *Metadata, wanted bool) (*dpop.Key, error) {
	announced := slices.Contains(m.DPoPAlgorithms, string(jose.ES256))
	if p.config.DPoP == "required" || p.config.DPoP != "off" && announced && wanted {
		return dpop.NewKey()
	}
	return nil, nil
}

// keyOf is the key that a credential's tokens are bound to; nil where they are not.
func keyOf(c *credential.Credential) (*dpop.Key, error) {
	secret := c.Value(DPoPKey)
	if secret.IsEmpty() {
		return nil, nil
	}
	return dpop.ParseKey(secret)
}

// Nonce is the last nonce that the server of address gave; empty where it gave none.
func (p *link) Nonce(address string) string { return p.nonces.Get(hostOf(address)) }

// NoteNonce keeps the DPoP-Nonce header of an answer of address (RFC 9449 §8.2).
func (p *link) NoteNonce(address, nonce string) { p.nonces.Note(hostOf(address), nonce) }
