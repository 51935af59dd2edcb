package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

// fileContent is what a session file holds, read without the library.
type fileContent struct {
	memory *memory // everything in it, still without its file
	txid   uint64  // the last transaction
	sum    fileSum // of all that lies in it

	buckets map[string]bool
	told    []byte // the checksum that lies in it; nil for none
}

// newTxid is the last transaction of a file that holds nothing yet.
const newTxid = 1

// readContent reads a whole file into memory. Any error means that it is damaged, or
// that the disk is.
func readContent(path string, m *memory) (*fileContent, error) {
	c := &fileContent{memory: m, buckets: map[string]bool{}}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	pages, err := newFilePages(file, info.Size())
	if err != nil {
		return nil, err
	}
	if err := pages.buckets(func(name string) { c.buckets[name] = true }, c.take); err != nil {
		return nil, err
	}
	if err := pages.complete(); err != nil {
		return nil, err
	}
	c.txid = pages.meta.txid
	return c, c.check()
}

// take takes in one key of a bucket.
func (c *fileContent) take(bucket string, key, value []byte) error {
	switch {
	case bucket == string(bucketSum) && bytes.Equal(key, keySum):
		c.told = bytes.Clone(value)
		return nil
	case bucket == string(bucketItems):
		c.sum.add(bucketItems, key, value)
		return c.memory.loadItem(string(key), value)
	case bucket == string(bucketEntries):
		c.sum.add(bucketEntries, key, value)
		return c.memory.loadEntry(string(key), value)
	}
	return errors.New("a bucket that no session file has")
}

// check compares what was read with the checksum. Files of programs that knew none
// have none, or one of an earlier transaction.
func (c *fileContent) check() error {
	if c.txid > newTxid && !(c.buckets[string(bucketItems)] && c.buckets[string(bucketEntries)]) {
		return errors.New("a bucket is missing")
	}
	if c.told == nil {
		return nil
	}
	txid, sum, ok := readSum(c.told)
	if !ok || txid > c.txid || txid == c.txid && sum != c.sum {
		return errors.New("the checksum of its records is wrong")
	}
	return nil
}

var errNoItem = errors.New("a record has no time at which it ends")

func (m *memory) loadItem(key string, value []byte) error {
	it, ok := itemOf(value)
	if !ok {
		return errNoItem
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
		return errNoItem
	}
	s, _ := m.lock(person)
	defer s.mu.Unlock()
	m.bytes.Add(s.entryGrowth(person, id, it)) // never refused: it was let in before
	m.keepEntry(s, person, id, it)
	return nil
}

// itemOf copies a value out of the file's page.
func itemOf(value []byte) (item, bool) {
	if len(value) < 8 {
		return item{}, false
	}
	ends := int64(binary.BigEndian.Uint64(value))
	return item{data: bytes.Clone(value[8:]), ends: ends}, ends > 0
}

// shardKey is the key whose shard holds key: a tombstone lies with its record.
func shardKey(key string) string { return strings.TrimSuffix(key, tombstoneSuffix) }

// damaged says what to do about a file that cannot be used.
func damaged(path string, why error) error {
	return fmt.Errorf("session: store: the file %s is damaged: %w. Its sessions cannot be trusted. "+
		"Move it away and start again, and everybody signs in anew; or put a sound copy in its place", path, why)
}
