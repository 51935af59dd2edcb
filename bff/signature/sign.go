package signature

import (
	"encoding/base64"
	"errors"

	"github.com/go-jose/go-jose/v4"
)

// ErrPublicKey says that a rule holds public keys only, so that nobody here can sign.
var ErrPublicKey = errors.New("signature: only the provider has the key that signs")

// Sign makes the proof of a rule for a call that lacks it, as its provider would, by the
// first of its keys and written as the rule says. claims are those of a JWT. It is for
// samples that an operator sends; a proof is as secret as what it opens.
func (v *Verifier) Sign(rule int, c *Call, claims []byte) (string, error) {
	r := v.rules[rule]
	e := v.reading(c, true)
	if r.jwt != nil {
		return r.jwt.sign(claims)
	}
	for _, name := range r.order {
		if err := r.taken(e, name); err != nil {
			return "", refusal("take."+name, err)
		}
	}
	message, err := r.over.text(e)
	if err != nil {
		return "", refusal("over", err)
	}
	switch key := r.keys[0].(type) {
	case hmacKey:
		return r.proof.write(key.sum([]byte(message))), nil
	case equalKey:
		raw, err := r.written.keyBytes(r.written.Keys[0].Reveal())
		return r.proof.write(raw), err
	}
	return "", ErrPublicKey
}

// write is the opposite of decode.
func (p Proof) write(raw []byte) string {
	if p.Encoding == "base64url" {
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return string(encode(raw, p.Encoding))
}

func (t *token) sign(claims []byte) (string, error) {
	secret, ok := t.keys[0].([]byte)
	if !ok {
		return "", ErrPublicKey
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: t.algorithms[0], Key: secret}, nil)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// Fill is a text of a rule with its {names} replaced, for a call that lacks its proof.
func (v *Verifier) Fill(rule int, text string, c *Call) (string, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return "", err
	}
	e := v.reading(c, true)
	e.hmac = v.rules[rule].hmac(0)
	for _, name := range t.names() {
		if v.rules[rule].take[name] != nil {
			if err := v.rules[rule].taken(e, name); err != nil {
				return "", err
			}
		}
	}
	return t.text(e)
}
