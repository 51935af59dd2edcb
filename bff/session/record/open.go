package record

import (
	"time"

	"coatcheck/bff/keyring"
	"coatcheck/bff/session/store"
)

// Opened is a stored record after its seal was broken.
type Opened struct {
	keyring.Opened
	Seen   time.Time // last extension of the idle time
	Record *Record   // what was sealed
}

// Open opens what is stored under key with the ticket's bytes. It never panics, whatever
// is in the store. Errors are those of [keyring.Ring.Open].
func Open(ring keyring.Ring, ticket []byte, key string, value []byte) (o Opened, err error) {
	if len(value) < store.StampLen {
		return o, keyring.ErrCorrupt
	}
	if o.Opened, err = ring.Open(ticket, key, value[store.StampLen:]); err != nil {
		return o, err
	}
	var ok bool
	if o.Seen, ok = store.StampOf(value); !ok {
		return o, keyring.ErrCorrupt
	}
	if o.Record, err = Decode(o.Plain); err != nil {
		return o, err
	}
	if o.Seen.After(o.Record.Ends) {
		return o, keyring.ErrCorrupt // the stamp is not sealed, but it cannot be there
	}
	return o, nil
}
