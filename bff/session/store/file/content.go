package file

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"coatcheck/bff/session/store/memory"
)

// content is what a session file holds, read without the library.
type content struct {
	memory *memory.Store // everything in it, still without its file
	txid   uint64        // the last transaction
	sum    fileSum       // of all that is in it

	buckets map[string]bool
	told    []byte // the checksum that is in it; nil for none
}

// newTxid is the last transaction of a file that holds nothing yet.
const newTxid = 1

// readContent reads a whole file into memory. An error that is not the system's means
// that it is damaged.
func readContent(path string, m *memory.Store) (*content, error) {
	c := &content{memory: m, buckets: map[string]bool{}}
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
func (c *content) take(bucket string, key, value []byte) error {
	switch {
	case bucket == string(bucketSum) && bytes.Equal(key, keySum):
		c.told = bytes.Clone(value)
		return nil
	case bucket == string(bucketItems):
		c.sum.add(bucketItems, key, value)
		return c.restore(string(key), value)
	case bucket == string(bucketEntries):
		c.sum.add(bucketEntries, key, value)
		return c.restoreEntry(string(key), value)
	}
	return errors.New("a bucket that no session file has")
}

// check compares what was read with the checksum. Files of programs that knew none
// have none, or one of an earlier transaction.
func (c *content) check() error {
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

func (c *content) restore(key string, value []byte) error {
	it, ok := itemOf(value)
	if !ok {
		return errNoItem
	}
	c.memory.Restore(key, it)
	return nil
}

func (c *content) restoreEntry(key string, value []byte) error {
	it, ok := itemOf(value)
	table, id, found := strings.Cut(key, "\x00")
	if !ok || !found {
		return errNoItem
	}
	c.memory.RestoreEntry(table, id, it)
	return nil
}

// itemOf copies a value out of the file's page.
func itemOf(value []byte) (memory.Item, bool) {
	if len(value) < 8 {
		return memory.Item{}, false
	}
	ends := int64(binary.BigEndian.Uint64(value))
	return memory.Item{Data: bytes.Clone(value[8:]), Ends: ends}, ends > 0
}

// damaged says what to do about a file that cannot be used.
func damaged(path string, why error) error {
	return fmt.Errorf("session: store: the file %s is damaged: %w. Its sessions cannot be trusted. "+
		"Move it away and start again, and everybody signs in anew; or put a sound copy in its place", path, why)
}
