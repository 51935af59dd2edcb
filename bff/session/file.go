package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// openFile makes a store in memory whose sessions survive a restart in the file
// at path: one process only, mode 0600. Sign-ins, renewed credentials and endings
// are on disk before they are answered; extensions are written behind, within a
// second. Failed sign-ins are counted in memory only.
func openFile(path string, o StoreOptions) (_ Store, err error) {
	// The library panics on some damaged files.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("session: store: file %s is damaged", path)
		}
	}()
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: journalLock})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("session: store: file %s is in use by another process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("session: store: file: %w", err)
	}
	m, err := loadFile(db, path, o)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("session: store: file: %w", err)
	}
	return m, nil
}

func loadFile(db *bolt.DB, path string, o StoreOptions) (*memory, error) {
	if err := os.Chmod(path, 0o600); err != nil { // it may have come from a copy
		return nil, err
	}
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucketItems)
		if err == nil {
			_, err = tx.CreateBucketIfNotExists(bucketEntries)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	m := newMemory(o.Now, o.MaxBytes)
	if err := db.View(m.load); err != nil {
		return nil, err
	}
	m.journal = newJournal(db, o.Log)
	m.sweep() // what ran out meanwhile leaves the file too
	m.done.Go(m.sweepUntilClosed)
	return m, nil
}

// load reads the whole file into memory, before anyone else uses the store.
func (m *memory) load(tx *bolt.Tx) error {
	err := tx.Bucket(bucketItems).ForEach(func(key, value []byte) error {
		return m.loadItem(string(key), value)
	})
	if err != nil {
		return err
	}
	return tx.Bucket(bucketEntries).ForEach(func(key, value []byte) error {
		return m.loadEntry(string(key), value)
	})
}

func (m *memory) loadItem(key string, value []byte) error {
	it, ok := itemOf(value)
	if !ok {
		return nil
	}
	s, _ := m.lock(shardKey(key))
	defer s.mu.Unlock()
	m.put(s, key, it)
	return nil
}

func (m *memory) loadEntry(key string, value []byte) error {
	it, ok := itemOf(value)
	person, id, found := strings.Cut(key, "\x00")
	if !ok || !found {
		return nil
	}
	s, _ := m.lock(person)
	defer s.mu.Unlock()
	m.bytes.Add(s.entryGrowth(person, id, it)) // never refused: it was let in before
	m.keepEntry(s, person, id, it)
	return nil
}

// itemOf copies a value out of the file, whose pages are the library's.
func itemOf(value []byte) (item, bool) {
	if len(value) < 8 {
		return item{}, false
	}
	ends := int64(binary.BigEndian.Uint64(value))
	return item{data: append([]byte(nil), value[8:]...), ends: ends}, ends > 0
}

// shardKey is the key whose shard holds key: a tombstone lies with its record.
func shardKey(key string) string { return strings.TrimSuffix(key, tombstoneSuffix) }
