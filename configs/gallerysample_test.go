package configs_test

import (
	"errors"
	"testing"
	"time"

	"coatcheck/bff/signature"
	"coatcheck/bff/signature/sample"
)

// TestGallerySamples: a sample can be made for every row of the gallery whose provider
// shares a secret with us, and its proof is right for nothing else; of the others
// nobody here has the key.
func TestGallerySamples(t *testing.T) {
	seen := map[string]bool{}
	now := time.Now()
	for _, v := range vectors(t) {
		v.signed()
		if seen[v.File] {
			continue
		}
		seen[v.File] = true
		c, faults := v.load()
		if c == nil {
			t.Errorf("%s: %v", v.File, faults)
			continue
		}
		scheme := c.Callers[v.File].Scheme(v.File)
		made, err := sample.Make(scheme, sample.Options{Method: "POST", Path: "/hooks/x", Base: "https://hooks.example.com", Now: now})
		by := scheme.Rules[0].By
		if by == signature.Ed25519 || by == signature.ECDSASHA256 || by == signature.RSASHA256 {
			if !errors.Is(err, signature.ErrPublicKey) {
				t.Errorf("%s: %v", v.File, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.File, err)
			continue
		}
		compiled, _ := signature.Compile(scheme)
		call := signature.Call{Method: made.Method, Target: made.Target, Base: "https://hooks.example.com", Header: made.Header, Body: made.Body, Length: int64(len(made.Body))}
		if _, err := compiled.Head(&call, now); err != nil {
			t.Errorf("%s: head: %v", v.File, err)
		}
		if _, err := compiled.Verify(&call, now); err != nil {
			t.Errorf("%s: %v", v.File, err)
		}
		first, err := compiled.Verify(&call, now)
		again, _ := sample.Make(scheme, sample.Options{Method: "POST", Path: "/hooks/x", Base: "https://hooks.example.com", Now: now})
		other := signature.Call{Method: again.Method, Target: again.Target, Base: call.Base, Header: again.Header, Body: again.Body, Length: int64(len(again.Body))}
		second, errAgain := compiled.Verify(&other, now)
		if err != nil || errAgain != nil || first.Once != "" && first.Once == second.Once {
			t.Errorf("%s: a second sample would count as the first", v.File)
		}
	}
	if len(seen) < 20 {
		t.Errorf("%d rows", len(seen))
	}
}
