package file

import (
	"crypto/sha256"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// fileSum is a checksum of all that is in a file: how many keys there are, and the
// sum of what each key and value hash to. It changes with each of them, so that a
// write need not read the others. It finds damage, not forgery.
type fileSum struct{ count, sum uint64 }

// The checksum is in a bucket of its own, with the transaction that wrote it. After
// a transaction of a program that knows no checksum it says nothing about the file.
// The name is the first in order, so that a list of buckets cut short has it still.
var (
	bucketSum = []byte("checksum")
	keySum    = []byte("all")
)

const sumLen = 3 * 8

func (s *fileSum) add(bucket, key, value []byte) {
	s.count++
	s.sum += recordSum(bucket, key, value)
}

func (s *fileSum) remove(bucket, key, value []byte) {
	s.count--
	s.sum -= recordSum(bucket, key, value)
}

// recordSum is the first eight bytes of SHA-256 over the parts, each behind its length.
func recordSum(bucket, key, value []byte) uint64 {
	var b []byte
	for _, part := range [][]byte{bucket, key, value} {
		b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// write puts the checksum into the file as part of tx.
func (s fileSum) write(tx *bolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists(bucketSum)
	if err != nil {
		return err
	}
	value := binary.BigEndian.AppendUint64(make([]byte, 0, sumLen), uint64(tx.ID()))
	value = binary.BigEndian.AppendUint64(value, s.count)
	return b.Put(keySum, binary.BigEndian.AppendUint64(value, s.sum))
}

// readSum reads what write wrote.
func readSum(value []byte) (txid uint64, s fileSum, ok bool) {
	if len(value) != sumLen {
		return 0, s, false
	}
	s = fileSum{count: binary.BigEndian.Uint64(value[8:]), sum: binary.BigEndian.Uint64(value[16:])}
	return binary.BigEndian.Uint64(value), s, true
}
