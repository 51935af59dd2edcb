package dpop

import (
	"runtime"
	"sync"
	"weak"

	"coatcheck/bff/credential"
)

// DPoPKeys keeps the keys of bound credentials ready to sign: reading one costs about
// as much as a proof. A key is forgotten when nobody holds its credential any more. The
// zero value is empty; it may be used by many goroutines.
type DPoPKeys struct {
	ready sync.Map // of weak.Pointer[credential.Credential] to *DPoPKeyPair
}

// Of returns the key that the tokens of c are bound to; nil where they are not bound.
func (k *DPoPKeys) Of(c *credential.Credential) (*DPoPKeyPair, error) {
	if !c.IsBound() {
		return nil, nil
	}
	at := weak.Make(c)
	if found, ok := k.ready.Load(at); ok {
		return found.(*DPoPKeyPair), nil
	}
	key, err := ParseDPoPKey(c.Value(credential.BoundKey))
	if err != nil {
		return nil, err
	}
	if _, there := k.ready.LoadOrStore(at, key); !there {
		runtime.AddCleanup(c, func(at weak.Pointer[credential.Credential]) { k.ready.Delete(at) }, at)
	}
	return key, nil
}
