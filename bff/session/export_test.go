package session

import (
	"time"

	bolt "go.etcd.io/bbolt"

	"coatcheck/bff/credential"
)

// EncodeRecord and DecodeRecord let the fuzz tests reach what lies behind the
// seal.
func EncodeRecord(id, subject string, user []byte, c *credential.Credential) []byte {
	r := record{id: id, subject: subject, user: user, credential: c, ends: time.UnixMilli(1)}
	return r.encode()
}

func DecodeRecord(b []byte) (id, subject string, user []byte, c *credential.Credential, ok bool) {
	r, err := decodeRecord(b)
	if err != nil {
		return "", "", nil, nil, false
	}
	return r.id, r.subject, r.user, r.credential, true
}

// BreakFile takes the file away from under a store, as a failing disk does.
func BreakFile(s Store) { _ = s.(*memory).journal.db.Close() }

// KeepFileSum writes the checksum that lies in a file again, as if it were of tx: what
// else tx changes looks like damage.
func KeepFileSum(tx *bolt.Tx) error {
	_, sum, _ := readSum(tx.Bucket(bucketSum).Get(keySum))
	return sum.write(tx)
}
