package provider

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Keys are a provider's signing keys, private. Only rsa, ec and ed sign for an honest
// provider.
type Keys struct{ rsa, ec, ed, spare, weak jose.JSONWebKey }

// NewKeys makes keys. It takes a while, so that tests share them.
func NewKeys() (*Keys, error) {
	one, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	spare, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024) // only ever used to be refused
	key := func(k any) jose.JSONWebKey { return jose.JSONWebKey{Key: k, KeyID: random()[:8], Use: "sig"} }
	return &Keys{key(one), key(curve), key(edwards), key(spare), key(weak)}, err
}

// keys publishes the signing keys (RFC 7517 §5).
func (p *Provider) keys(w http.ResponseWriter, r *http.Request) {
	switch p.first(KeysHuge, KeysRedirect, KeysGarbage, KeysAway) {
	case KeysHuge:
		_, _ = w.Write([]byte(`{"keys":[],"padding":"` + strings.Repeat("x", 600<<10) + `"}`))
		return
	case KeysRedirect:
		http.Redirect(w, r, p.at("/keys?again"), http.StatusFound)
		return
	case KeysGarbage:
		_, _ = w.Write([]byte(`<!doctype html>keys`))
		return
	case KeysAway:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"keys": p.published()})
}

// published is the key set as the sins of the moment have it.
func (p *state) published() []any {
	p.mu.Lock()
	keys := p.ring
	p.mu.Unlock()
	switch {
	case p.has(KeysPrivate):
		return []any{keys.rsa}
	case p.has(KeysForOthers):
		return []any{forOthers(keys.rsa.Public())}
	case p.has(KidAbsentSingle):
		return []any{keys.rsa.Public()}
	case p.has(KidAbsentMultiple):
		return []any{keys.rsa.Public(), keys.spare.Public()}
	case p.has(WeakKey):
		return []any{keys.weak.Public(), keys.ec.Public()}
	case p.has(KeyForEncryption):
		public := keys.rsa.Public()
		public.Use = "enc"
		return []any{public, keys.ec.Public()}
	}
	list := []any{keys.rsa.Public(), keys.ec.Public(), keys.ed.Public()}
	if p.has(KeysUnparseable) {
		list = append([]any{
			map[string]any{"kty": "AKP", "kid": "later", "alg": "ML-DSA-999", "pub": "AAAA"},
			map[string]any{"kty": "made-up", "kid": "never"}, map[string]any{"kty": "RSA", "kid": "broken", "n": 7}}, list...)
	}
	if p.has(KeysTooMany) {
		for i := range 120 {
			list = append(list, map[string]any{"kty": "made-up", "kid": strconv.Itoa(i)})
		}
	}
	return list
}

// sign makes a token of claims, as the sins of the moment have it.
func (p *state) sign(claims map[string]any, typ string, c *Client) string {
	p.mu.Lock()
	keys := p.ring
	p.mu.Unlock()
	payload, err := json.Marshal(claims)
	if err != nil {
		return ""
	}
	switch p.first(SigNone, HMACWithPublicKey, HMACWithSecret, InvalidSigHS256, KeyInHeader, WeakKey, KidAbsentSingle, KidAbsentMultiple,
		KidUnknown, SignedES256, InvalidSigES256, SignedPS256, SignedEdDSA, AlgUnannounced, InvalidSigRS256) {
	case SigNone:
		return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
	case HMACWithPublicKey:
		public, _ := json.Marshal(keys.rsa.Public())
		return compact(jose.HS256, public, "", typ, payload)
	case HMACWithSecret, InvalidSigHS256:
		return compact(jose.HS256, []byte((c.Secret + strings.Repeat("0", 32))[:32]), "", typ, payload)
	case KeyInHeader:
		return embedded(keys.spare, payload)
	case WeakKey:
		return compact(jose.RS256, keys.weak.Key, keys.weak.KeyID, typ, payload)
	case KidAbsentSingle, KidAbsentMultiple:
		return compact(jose.RS256, keys.rsa.Key, "", typ, payload)
	case KidUnknown:
		return compact(jose.RS256, keys.rsa.Key, "unknown", typ, payload)
	case SignedES256:
		return compact(jose.ES256, keys.ec.Key, keys.ec.KeyID, typ, payload)
	case InvalidSigES256:
		return spoiled(compact(jose.ES256, keys.ec.Key, keys.ec.KeyID, typ, payload))
	case SignedPS256:
		return compact(jose.PS256, keys.rsa.Key, keys.rsa.KeyID, typ, payload)
	case SignedEdDSA:
		return compact(jose.EdDSA, keys.ed.Key, keys.ed.KeyID, typ, payload)
	case AlgUnannounced:
		return compact(jose.RS384, keys.rsa.Key, keys.rsa.KeyID, typ, payload)
	case InvalidSigRS256:
		return spoiled(compact(jose.RS256, keys.rsa.Key, keys.rsa.KeyID, typ, payload))
	}
	return compact(jose.RS256, keys.rsa.Key, keys.rsa.KeyID, typ, payload)
}

// forOthers is a key that says it encrypts (RFC 7517 §4.3).
func forOthers(key jose.JSONWebKey) map[string]any {
	doc := map[string]any{}
	if text, err := key.MarshalJSON(); err == nil {
		_ = json.Unmarshal(text, &doc)
	}
	delete(doc, "use")
	doc["key_ops"] = []string{"encrypt"}
	return doc
}

// compact signs payload; "" where that cannot be done.
func compact(alg jose.SignatureAlgorithm, key any, kid, typ string, payload []byte) string {
	options := &jose.SignerOptions{}
	switch typ {
	case "":
	case string(TypNumber):
		options = options.WithHeader("typ", 7)
	case string(CritEmpty):
		options = options.WithType("JWT").WithHeader("crit", []string{})
	default:
		options = options.WithType(jose.ContentType(typ))
	}
	if kid != "" {
		options = options.WithHeader("kid", kid)
	}
	return signed(jose.SigningKey{Algorithm: alg, Key: key}, options, payload)
}

// embedded signs with a key that nobody published, and puts it into the header.
func embedded(key jose.JSONWebKey, payload []byte) string {
	return signed(jose.SigningKey{Algorithm: jose.RS256, Key: key.Key}, &jose.SignerOptions{EmbedJWK: true}, payload)
}

func signed(key jose.SigningKey, options *jose.SignerOptions, payload []byte) string {
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return ""
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return ""
	}
	text, _ := jws.CompactSerialize()
	return text
}

// spoiled is a token whose signature has one bit changed.
func spoiled(token string) string {
	i := strings.LastIndexByte(token, '.')
	signature, _ := base64.RawURLEncoding.DecodeString(token[i+1:])
	signature[0] ^= 1
	return token[:i+1] + encode(signature)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func writeJSON(w http.ResponseWriter, status int, doc any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(doc)
}
