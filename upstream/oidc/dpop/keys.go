package dpop

import (
	"runtime"
	"sync"
	"weak"

	"coatcheck/bff/credential"
)

// Keys keeps the keys of bound credentials ready to sign: reading one costs about
// as much as a proof. A key is forgotten when nobody holds its credential any more. The
// zero value is empty; it may be used by many goroutines.
type Keys struct {
	ready sync.Map // of weak.Pointer[credential.Credential] to *Key
}

// Of returns the key that the tokens of c are bound to; nil where they are not bound.
func (k *Keys) Of(c *credential.Credential) (*Key, error) {
	if !c.IsBound() {
		return nil, nil
	}
	at := weak.Make(c)
	if found, ok := k.ready.Load(at); ok {
		return found.(*Key), nil
	}
	key, err := ParseKey(c.Value(credential.BoundKey))
	if err != nil {
		return nil, err
	}
	if _, there := k.ready.LoadOrStore(at, key); !there {
		runtime.AddCleanup(c, func(at weak.Pointer[credential.Credential]) { k.ready.Delete(at) }, at)
	}
	return key, nil
}
