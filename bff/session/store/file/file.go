// Package file is the store in this process and a file: one machine whose sessions
// survive a restart.
package file

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"syscall"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"coatcheck/bff/session/store/memory"
)

// Store is a store in memory with a file behind it.
type Store struct {
	*memory.Store
	journal *journal
}

// Options are those of package memory, and a log.
type Options struct {
	memory.Options

	// Log hears of writes that fail. It must not be nil.
	Log *slog.Logger
}

// Open makes a store in memory whose sessions survive a restart in the file at path: one
// process only, mode 0600. Sign-ins, renewed credentials and endings are on disk before
// they are answered; extensions are written behind, within a second. Failed sign-ins are
// counted in memory only.
//
// A damaged file is an error that says what to do, whatever the damage.
func Open(path string, o Options) (_ *Store, err error) {
	// The file was looked through before the library maps it. If the disk fails all
	// the same, the fault becomes a panic, and that an error.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = damaged(path, errors.New("the library cannot read it"))
		}
	}()
	found, err := lookThrough(path, memory.New(o.Options))
	if err != nil {
		return nil, err
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: journalLock})
	if err != nil {
		return nil, openError(path, err)
	}
	if err := adopt(db, path, found); err != nil {
		_ = db.Close()
		return nil, err
	}
	s := &Store{found.memory, newJournal(db, found.sum, o.Log)}
	s.Run(s.journal)
	return s, nil
}

// lookThrough reads the file into m and checks it, while the library's lock keeps
// writers away. There is nothing to read where there is no file, or an empty one.
func lookThrough(path string, m *memory.Store) (*content, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return &content{memory: m, txid: newTxid}, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, fmt.Errorf("session: store: file %s: %w", path, err)
	}
	lock, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: journalLock, ReadOnly: true})
	if err != nil {
		return nil, openError(path, err)
	}
	defer lock.Close()
	found, err := readContent(path, m)
	if err != nil {
		return nil, openError(path, err)
	}
	return found, nil
}

// openError tells apart why a file cannot be opened or read: it is in use, the system
// refuses, or what is there is not a session file. Nobody should move a sound file away
// because descriptors ran out.
func openError(path string, err error) error {
	var at *fs.PathError
	var system syscall.Errno // of a lock or a map, which name no path
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return inUse(path)
	case errors.As(err, &at):
		return fmt.Errorf("session: store: file: %w", err)
	case errors.As(err, &system):
		return fmt.Errorf("session: store: file %s: %w", path, err)
	}
	return damaged(path, err)
}

func inUse(path string) error {
	return fmt.Errorf("session: store: file %s is in use by another process", path)
}

// adopt makes the file this process's own: what was read is still what is there,
// nobody else may read it, and its buckets and checksum are there.
func adopt(db *bolt.DB, path string, found *content) error {
	if err := os.Chmod(path, 0o600); err != nil { // it may have come from a copy
		return fmt.Errorf("session: store: file: %w", err)
	}
	var changed bool
	err := db.Update(func(tx *bolt.Tx) error {
		// Between the look and the lock of now somebody may have written.
		if changed = uint64(tx.ID()) != found.txid+1; changed {
			return bolterrors.ErrTimeout
		}
		for _, name := range [][]byte{bucketItems, bucketEntries} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return found.sum.write(tx)
	})
	if changed {
		return inUse(path)
	}
	if err != nil {
		return fmt.Errorf("session: store: file: %w", err)
	}
	return nil
}
