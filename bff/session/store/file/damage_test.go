package file_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store/file"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/session/store/storetest"
)

// soundFile is the content of a session file of many pages, and what is in it.
func soundFile(t *testing.T, sessions int) ([]byte, map[string][]byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.db")
	st := openFile(t, path)
	m := manager(t, storetest.Shared{Store: st}, nil)
	lies := map[string][]byte{}
	for i := range sessions {
		in := ann()
		in.Subject = fmt.Sprint("person ", i%50)
		ticket, _ := start(t, m, in)
		value, err := st.Load(context.Background(), storeKey(ticket))
		if err != nil {
			t.Fatal(err)
		}
		lies[storeKey(ticket)] = bytes.Clone(value)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b, lies
}

// damages are what disks, copies and people do to a file.
var damages = map[string]func(b []byte, r *rand.Rand) []byte{
	"cut":          func(b []byte, r *rand.Rand) []byte { return b[:1+r.IntN(len(b)-1)] },
	"cut in half":  func(b []byte, _ *rand.Rand) []byte { return b[:len(b)/2] },
	"cut to pages": func(b []byte, r *rand.Rand) []byte { return b[:4096*(1+r.IntN(len(b)/4096-1))] },
	"a bit flipped": func(b []byte, r *rand.Rand) []byte {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		return b
	},
	"a byte in a head": func(b []byte, r *rand.Rand) []byte {
		b[4096*r.IntN(len(b)/4096)+r.IntN(96)] = byte(r.Uint32())
		return b
	},
	"many bytes": func(b []byte, r *rand.Rand) []byte {
		for range 1 + r.IntN(200) {
			b[r.IntN(len(b))] = byte(r.Uint32())
		}
		return b
	},
	"a page of zeros": func(b []byte, r *rand.Rand) []byte { clear(page(b, r)); return b },
	"a page of ones": func(b []byte, r *rand.Rand) []byte {
		for p, i := page(b, r), 0; i < len(p); i++ {
			p[i] = 0xff
		}
		return b
	},
	"a page over another": func(b []byte, r *rand.Rand) []byte { copy(page(b, r), page(b, r)); return b },
	"a page over another that keeps its id": func(b []byte, r *rand.Rand) []byte {
		copy(page(b, r)[8:], page(b, r)[8:])
		return b
	},
	"a page that points elsewhere": func(b []byte, r *rand.Rand) []byte {
		p := page(b, r)
		p[16+16*r.IntN(4)+8] = byte(r.IntN(len(b) / 4096)) // a branch's child, in place of its own
		return b
	},
}

func page(b []byte, r *rand.Rand) []byte {
	i := 4096 * r.IntN(len(b)/4096)
	return b[i : i+4096]
}

// The fear: a damaged file ends the process at the start, hangs it, or brings up
// sessions that are not what was written. Either the damage is told, with what to do,
// or it hit bytes that mean nothing and everything is there.
func TestDamagedFile(t *testing.T) {
	if os.Getpagesize() != 4096 {
		t.Skip("the damage is made for pages of 4096 bytes")
	}
	sound, lies := soundFile(t, 150)
	path := filepath.Join(t.TempDir(), "sessions.db")
	told := map[string]int{}
	for name, harm := range damages {
		for seed := range uint64(60) {
			b := harm(bytes.Clone(sound), rand.New(rand.NewPCG(seed, 12)))
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if opensWhole(t, fmt.Sprintf("%s, seed %d", name, seed), path, lies) {
				continue
			}
			told[name]++
		}
	}
	// Half of the file, or any of its pages, may be free; these hit what means something.
	for _, name := range []string{"cut", "many bytes"} {
		if told[name] == 0 {
			t.Errorf("%s: never noticed", name)
		}
	}
}

// opensWhole opens a file and compares what is in it; false if its damage is told.
func opensWhole(t *testing.T, what, path string, lies map[string][]byte) bool {
	t.Helper()
	st, err := open.Store(credential.NewSecret("file://"+path), open.Options{})
	if err != nil {
		for _, word := range []string{"damaged", path, "Move it away"} {
			if !strings.Contains(err.Error(), word) {
				t.Fatalf("%s: the error lacks %q: %v", what, word, err)
			}
		}
		return false
	}
	defer st.Close()
	ctx := context.Background()
	for key, want := range lies {
		if got, err := st.Load(ctx, key); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: a session is not what was written: %v", what, err)
		}
	}
	if err := st.Create(ctx, "coatcheck:s:{new}", []byte("1700000000000"), time.Hour); err != nil {
		t.Fatalf("%s: nothing can be written: %v", what, err)
	}
	return true
}

// Records that are gone, changed or put back from earlier leave the file's own
// structure whole: only our checksum notices.
func TestChangedRecordsAreNoticed(t *testing.T) {
	sound, lies := soundFile(t, 5)
	var some string
	for key := range lies {
		some = key
	}
	cases := map[string]func(items, entries *bolt.Bucket) error{
		"a record deleted": func(items, _ *bolt.Bucket) error { return items.Delete([]byte(some)) },
		"a record changed": func(items, _ *bolt.Bucket) error {
			value := bytes.Clone(items.Get([]byte(some)))
			value[0] ^= 1
			return items.Put([]byte(some), value)
		},
		"a record added": func(items, _ *bolt.Bucket) error {
			return items.Put([]byte("coatcheck:s:{x}"), bytes.Clone(items.Get([]byte(some))))
		},
		"an entry deleted": func(_, entries *bolt.Bucket) error {
			key, _ := entries.Cursor().First()
			return entries.Delete(bytes.Clone(key))
		},
		"a record moved to the entries": func(items, entries *bolt.Bucket) error {
			value := bytes.Clone(items.Get([]byte(some)))
			if err := items.Delete([]byte(some)); err != nil {
				return err
			}
			return entries.Put([]byte(some), value)
		},
	}
	for name, change := range cases {
		path := filepath.Join(t.TempDir(), "sessions.db")
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
		inFile(t, path, func(tx *bolt.Tx) error {
			if err := change(tx.Bucket([]byte("items")), tx.Bucket([]byte("entries"))); err != nil {
				return err
			}
			return file.KeepSum(tx)
		})
		if opensWhole(t, name, path, lies) {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// A file of a program without checksums is read, and one that such a program has
// written to since.
func TestFileOfAnOlderProgram(t *testing.T) {
	sound, lies := soundFile(t, 5)
	for name, change := range map[string]func(tx *bolt.Tx) error{
		"never had one": func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("checksum")) },
		"written without": func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("items")).Put([]byte("k"), []byte("\x7f0000000value"))
		},
	} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
		inFile(t, path, change)
		for range 2 { // the second time with the checksum that the first wrote
			if !opensWhole(t, name, path, lies) {
				t.Errorf("%s: refused", name)
			}
		}
	}
}

func inFile(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err == nil {
		err = db.Update(change)
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The fear: a file that is cut while it is in use ends the process.
func TestFileCutUnderneath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	st := openFile(t, path)
	m := manager(t, storetest.Shared{Store: st}, nil)
	ticket, _ := start(t, m, ann())
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	failed := false
	for range 20 {
		_, _, err := m.Start(context.Background(), ann())
		failed = failed || err != nil
	}
	if !failed {
		t.Error("sign-ins into a file that was cut are said to be stored")
	}
	find(t, m, ticket) // who is in stays in, in memory
	_ = st.Close()
}
