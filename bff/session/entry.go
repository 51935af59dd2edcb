package session

// Fields of an entry; see record.go for how they are written.
const (
	entryHash    = 1
	entryCreated = 2
	entryAgent   = 3
	entryAddress = 4
)

// entryHeader is the clear part of a sealed entry: format version and key id.
const entryHeader = 1 + len(keyID{})

func (k *serverKey) sealEntry(person string, h hash, e Entry) []byte {
	plain := appendField(nil, entryHash, h[:])
	plain = appendTime(plain, entryCreated, e.CreatedAt)
	plain = appendField(plain, entryAgent, e.UserAgent)
	plain = appendField(plain, entryAddress, e.Address)
	header := append([]byte{recordVersion}, k.id[:]...)
	return sealBehind(k.entries, header, person+"/"+e.ID, plain)
}

func (k *serverKey) openEntry(person, id string, b []byte) (listed, bool) {
	e := listed{Entry: Entry{ID: id}}
	if len(b) < entryHeader || b[0] != recordVersion || keyID(b[1:entryHeader]) != k.id {
		return e, false
	}
	plain, err := openBehind(k.entries, b, entryHeader, person+"/"+id)
	if err != nil {
		return e, false
	}
	err = eachField(plain, e.field)
	return e, err == nil
}

func (e *listed) field(number uint64, value []byte) bool {
	switch number {
	case entryHash:
		return copy(e.hash[:], value) == len(e.hash)
	case entryCreated:
		return readTime(&e.CreatedAt, value)
	case entryAgent:
		e.UserAgent = string(value)
	case entryAddress:
		e.Address = string(value)
	}
	return true
}
