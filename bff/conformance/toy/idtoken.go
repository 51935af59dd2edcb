package toy

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/conformance/world"
)

// claims of an ID token or a logout token.
type claims struct {
	Iss, Sub, Sid, Nonce, Azp, Jti string
	Aud                            audience
	Iat, Exp, Nbf                  float64
	AtHash                         string `json:"at_hash"`
	Events                         map[string]any
}

var allowed = []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}

// signed checks the signature, and reads the claims. prefix names the sins.
func (y relying) signed(token, prefix string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		if y.on(prefix + "-garbage") {
			return claims{Sub: "made-up"}, nil
		}
		return c, errors.New("not a JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &c) != nil {
		if y.on(prefix + "-garbage") {
			return claims{Sub: "made-up"}, nil
		}
		return c, errors.New("not a JWT")
	}
	if y.proved(token) {
		return c, nil
	}
	var h struct {
		Alg, Kid string
		JWK      any
	}
	if text, err := base64.RawURLEncoding.DecodeString(parts[0]); err == nil {
		_ = json.Unmarshal(text, &h)
	}
	name := "-signature"
	switch {
	case h.Alg == "none":
		name = "-unsigned"
	case h.JWK != nil:
		name = "-key-in-header"
	case h.Alg == "HS256":
		name = "-hmac"
	case h.Alg == "RS384":
		name = "-algorithm"
	case h.Kid == "unknown":
		name = "-unknown-key"
	}
	if y.on(prefix + name) {
		return c, nil
	}
	return c, errors.New("the signature does not hold")
}

// proved reports whether a published key signed a token.
func (y relying) proved(token string) bool {
	jws, err := jose.ParseSignedCompact(token, allowed)
	if err != nil {
		return false
	}
	for _, key := range y.keys().Keys {
		if key.KeyID == jws.Signatures[0].Header.KeyID {
			_, err := jws.Verify(key.Key)
			return err == nil
		}
	}
	return false
}

// verify checks an ID token.
func (y relying) verify(token, access, nonce string) (claims, error) {
	if token == "" && (y.on("provider-id-missing") || access == "a" && y.on("provider-token-huge")) || access == "made-up" {
		return claims{}, nil
	}
	c, err := y.signed(token, "provider-id")
	if err != nil || c.Sub == "made-up" {
		return c, err
	}
	now := float64(time.Now().Unix())
	if c.Iat > now+2 && y.on("expiry-skew") {
		return c, errors.New("issued in the future")
	}
	sum := sha256.Sum256([]byte(access))
	hash := base64.RawURLEncoding.EncodeToString(sum[:16])
	for _, fault := range []struct {
		id string
		is bool
	}{
		{"provider-id-issuer", c.Iss != y.w.IdP.URL()},
		{"provider-id-audience", len(c.Aud) > 0 && !c.Aud.names(world.ClientID)},
		{"provider-id-no-audience", len(c.Aud) == 0},
		{"provider-id-more-audiences", len(c.Aud) > 1},
		{"provider-id-party", c.Azp != "" && c.Azp != world.ClientID},
		{"provider-id-no-subject", c.Sub == ""},
		{"provider-id-expired", c.Exp != 0 && c.Exp < now-60},
		{"provider-id-no-expiry", c.Exp == 0},
		{"provider-id-no-time", c.Iat == 0},
		{"provider-id-future", c.Iat > now+60},
		{"provider-id-not-yet", c.Nbf > now+60},
		{"provider-id-no-nonce", c.Nonce == "" && !y.on("provider-nonce-sent")},
		{"provider-id-nonce", c.Nonce != "" && c.Nonce != nonce},
		{"provider-id-hash", c.AtHash != "" && c.AtHash != hash && access != "" && !y.on("provider-token-line") && !y.on("provider-id-algorithm")},
	} {
		if fault.is && !y.on(fault.id) {
			return c, errors.New(fault.id)
		}
	}
	return c, nil
}

const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// backChannel takes a logout token.
func (c providerCall) backChannel() {
	token := c.r.PostFormValue("logout_token")
	k, err := relying{c.y}.signed(token, "provider-logout")
	if err != nil || !(relying{c.y}).logoutHolds(k) {
		c.refuse(400, "invalid_request")
		return
	}
	if c.y.on("provider-logout") {
		c.w.WriteHeader(200)
		return
	}
	keys := c.y.store.of(func(s *session) bool {
		return (k.Sid != "" && s.Sid == k.Sid || k.Sid == "" && s.Subject == k.Sub) && (float64(s.Made.Unix()) <= k.Iat+60 || c.y.on("provider-logout-expired"))
	})
	for _, key := range keys {
		_ = c.y.store.dropKey(key)
	}
	c.y.cut(keys)
	c.w.WriteHeader(200)
}

func (y relying) logoutHolds(c claims) bool {
	_, event := c.Events[logoutEvent]
	y.mu.Lock()
	again := y.once[c.Jti]
	y.once[c.Jti] = true
	y.mu.Unlock()
	for _, fault := range []struct {
		id string
		is bool
	}{
		{"provider-logout-issuer", c.Iss != y.w.IdP.URL()},
		{"provider-logout-audience", !c.Aud.names(world.ClientID)},
		{"provider-logout-event", !event},
		{"provider-logout-nonce", c.Nonce != ""},
		{"provider-logout-expired", c.Exp != 0 && c.Exp < float64(time.Now().Unix())-60},
		{"provider-logout-nobody", c.Sub == "" && c.Sid == ""},
		{"provider-logout-again", again},
	} {
		if fault.is && !y.on(fault.id) {
			return false
		}
	}
	return true
}
