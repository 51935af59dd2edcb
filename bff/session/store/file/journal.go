package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/memory"
)

const (
	journalEvery = time.Second // how long a touch may wait for the disk
	journalLock  = time.Second // how long to wait for another process to let go of the file
)

// The file's buckets: items by key, and entries by table, a zero byte and id.
// Each value has its end in front, in milliseconds since 1970, big-endian.
var (
	bucketItems   = []byte("items")
	bucketEntries = []byte("entries")
)

// journal carries changes from memory to a file, in batches by its one
// goroutine, which Close ends. Changes of one key follow each other, so only the
// last one waits.
type journal struct {
	db   *bolt.DB
	sum  fileSum // of what is in the file; belongs to the goroutine
	log  *slog.Logger
	wake chan struct{}
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex
	pending map[change]memory.Item // an item that ends at 0 is a deletion
	fresh   map[change]bool        // those of pending whose key was never in the file
	waiting []chan error
	broken  bool // the library panicked: it must not be asked again
}

// change names what has changed.
type change struct {
	entries bool
	key     string
}

// newJournal writes to db, whose content has the checksum sum.
func newJournal(db *bolt.DB, sum fileSum, log *slog.Logger) *journal {
	j := &journal{db: db, sum: sum, log: log, wake: make(chan struct{}, 1), stop: make(chan struct{}), pending: map[change]memory.Item{}, fresh: map[change]bool{}}
	j.done.Go(j.run)
	return j
}

// Item notes a change of an item. A lease is of this process only and stays out.
func (j *journal) Item(key string, it memory.Item) {
	if !strings.HasSuffix(key, store.LeaseSuffix) {
		j.note(change{key: key}, it)
	}
}

// Entry notes a change of an entry of a table.
func (j *journal) Entry(table, id string, it memory.Item) {
	j.note(change{entries: true, key: table + "\x00" + id}, it)
}

// note takes in a change. A key that comes and goes before it was written leaves
// nothing: else sign-ins would pile up while the disk fails.
func (j *journal) note(c change, it memory.Item) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if it.Ends == 0 && j.fresh[c] {
		delete(j.pending, c)
		delete(j.fresh, c)
		return
	}
	j.pending[c] = it
}

// Created says that the change of key that waits, if one does, is the first that the
// file is to see of it.
func (j *journal) Created(key string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c := (change{key: key}); j.pending[c].Ends != 0 {
		j.fresh[c] = true
	}
}

// Flush returns when everything noted so far is on disk. Those who come at one
// time share one write.
func (j *journal) Flush() error {
	written := make(chan error, 1)
	j.mu.Lock()
	if len(j.pending) == 0 && len(j.waiting) == 0 {
		// Nothing is waiting, but a batch may be half-way: ask behind it.
		j.pending[change{}] = memory.Item{}
	}
	j.waiting = append(j.waiting, written)
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
	return <-written
}

func (j *journal) run() {
	tick := time.NewTicker(journalEvery)
	defer tick.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-j.wake:
		case <-tick.C:
		}
		j.write()
	}
}

// write puts one batch on disk. What could not be written waits for the next,
// unless it has changed again.
func (j *journal) write() {
	j.mu.Lock()
	batch, fresh, waiting := j.pending, j.fresh, j.waiting
	j.pending, j.fresh, j.waiting = map[change]memory.Item{}, map[change]bool{}, nil
	j.mu.Unlock()
	var err error
	if len(batch) > 0 {
		err = j.update(batch)
	}
	if err != nil {
		err = fmt.Errorf("file: %w", err)
		j.log.Error("sessions could not be written to their file", "error", err)
		j.mu.Lock()
		for c, it := range batch {
			if _, newer := j.pending[c]; !newer {
				j.pending[c] = it
				if fresh[c] {
					j.fresh[c] = true
				}
			}
		}
		j.mu.Unlock()
	}
	for _, written := range waiting {
		written <- err
	}
}

var errBroken = errors.New("the file cannot be written since a fault; restart the program")

// update applies a batch in one transaction. A disk that fails under the mapped file
// is a fault of memory: it becomes an error here and does not end the process. The
// library may hold its locks forever after that, so it is left alone.
func (j *journal) update(batch map[change]memory.Item) (err error) {
	if j.broken {
		return errBroken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			j.broken, err = true, errBroken
		}
	}()
	sum := j.sum
	err = j.db.Update(func(tx *bolt.Tx) error {
		if err := apply(tx, batch, &sum); err != nil {
			return err
		}
		return sum.write(tx)
	})
	if err == nil {
		j.sum = sum
	}
	return err
}

func apply(tx *bolt.Tx, batch map[change]memory.Item, sum *fileSum) error {
	for c, it := range batch {
		name := bucketItems
		if c.entries {
			name = bucketEntries
		}
		bucket := tx.Bucket(name)
		if bucket == nil {
			return errors.New("the file has no such bucket")
		}
		if c.key == "" {
			continue
		}
		if err := applyOne(bucket, name, []byte(c.key), it, sum); err != nil {
			return err
		}
	}
	return nil
}

func applyOne(bucket *bolt.Bucket, name, key []byte, it memory.Item, sum *fileSum) error {
	if old := bucket.Get(key); old != nil {
		sum.remove(name, key, old)
	}
	if it.Ends == 0 {
		return bucket.Delete(key)
	}
	value := append(binary.BigEndian.AppendUint64(nil, uint64(it.Ends)), it.Data...)
	sum.add(name, key, value)
	return bucket.Put(key, value)
}

// Close writes what waits and closes the file.
func (j *journal) Close() error {
	close(j.stop)
	j.done.Wait()
	j.write()
	if j.broken {
		return errBroken
	}
	return j.db.Close()
}
