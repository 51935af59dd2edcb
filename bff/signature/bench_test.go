package signature_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"coatcheck/bff/signature"
)

// BenchmarkVerify: head and whole of a signed POST of 2 KiB.
func BenchmarkVerify(b *testing.B) {
	body := strings.Repeat("x", 2<<10)
	at := "1700000000"
	run := func(b *testing.B, r signature.Rule, proof string) {
		v, faults := signature.Compile(signature.Scheme{Caller: "x", Rules: []signature.Rule{r}, MaxSigned: 1 << 20})
		if v == nil {
			b.Fatal(faults)
		}
		c := post(body, "X-At", at, "X-Proof", proof)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Head(c, noon); err != nil {
				b.Fatal(err)
			}
			if _, err := v.Verify(c, noon); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("hmac", func(b *testing.B) { run(b, simple(), mac(at+"."+body)) })
	b.Run("ed25519", func(b *testing.B) {
		key := keyPair().ed
		r := simple()
		r.By, r.Encoding, r.Keys = signature.Ed25519, "base64", keys(base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)))
		r.Proof.Encoding = "base64"
		run(b, r, base64.StdEncoding.EncodeToString(ed25519.Sign(key, []byte(at+"."+body))))
	})
}
