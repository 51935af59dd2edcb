package file

import (
	bolt "go.etcd.io/bbolt"

	"coatcheck/bff/session/store"
)

// Break takes the file away from under a store, as a failing disk does.
func Break(s store.Store) { _ = s.(*Store).journal.db.Close() }

// KeepSum writes the checksum that is in a file again, as if it were of tx: what
// else tx changes looks like damage.
func KeepSum(tx *bolt.Tx) error {
	_, sum, _ := readSum(tx.Bucket(bucketSum).Get(keySum))
	return sum.write(tx)
}
