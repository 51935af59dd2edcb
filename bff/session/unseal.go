package session

import (
	"time"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/store"
)

// opened is a stored record after its seal was broken.
type opened struct {
	keyring.Opened
	seen   time.Time // last extension of the idle time
	record *Record
}

// unseal opens a stored value. It never panics, whatever is in the store. Errors are
// those of [keyring.Ring.Open].
func unseal(ring keyring.Ring, t Ticket, key string, value []byte) (o opened, err error) {
	if len(value) < store.StampLen {
		return o, keyring.ErrCorrupt
	}
	if o.Opened, err = ring.Open(t.bytes(), key, value[store.StampLen:]); err != nil {
		return o, err
	}
	var ok bool
	if o.seen, ok = store.StampOf(value); !ok {
		return o, keyring.ErrCorrupt
	}
	if o.record, err = decodeRecord(o.Plain); err != nil {
		return o, err
	}
	if o.seen.After(o.record.Ends) {
		return o, keyring.ErrCorrupt // the stamp is not sealed, but it cannot lie there
	}
	return o, nil
}
