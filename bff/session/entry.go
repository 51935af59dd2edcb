package session

import (
	"coatcheck/bff/keyring"
	"coatcheck/bff/session/record"
)

// Fields of an entry; see record.go for how they are written.
const (
	entryHash    = 1
	entryCreated = 2
	entryAgent   = 3
	entryAddress = 4
)

func sealEntry(k *keyring.Key, table string, h hash, e Entry) []byte {
	plain := record.AppendField(nil, entryHash, h[:])
	plain = record.AppendTime(plain, entryCreated, e.CreatedAt)
	plain = record.AppendField(plain, entryAgent, e.UserAgent)
	plain = record.AppendField(plain, entryAddress, e.Address)
	return k.SealBox(table+"/"+e.ID, plain)
}

func openEntry(k *keyring.Key, table, id string, b []byte) (listed, bool) {
	e := listed{Entry: Entry{ID: id}}
	plain, ok := k.OpenBox(table+"/"+id, b)
	if !ok {
		return e, false
	}
	err := record.EachField(plain, e.field)
	return e, err == nil
}

func (e *listed) field(number uint64, value []byte) bool {
	switch number {
	case entryHash:
		return copy(e.hash[:], value) == len(e.hash)
	case entryCreated:
		return record.ReadTime(&e.CreatedAt, value)
	case entryAgent:
		e.UserAgent = string(value)
	case entryAddress:
		e.Address = string(value)
	}
	return true
}
