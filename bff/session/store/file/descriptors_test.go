//go:build linux

package file_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/store/open"
)

// TestNoDescriptors: a sound file that cannot be read at the moment is not called damaged,
// whichever of its opens is refused: nobody should move it away.
func TestNoDescriptors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	sound, _ := soundFile(t, 3)
	if err := os.WriteFile(path, sound, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for left := range uint64(3) {
		st, err := opened(t, path, left)
		if err == nil {
			_ = st.Close()
			continue
		}
		if refused++; !errors.Is(err, syscall.EMFILE) || strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), path) {
			t.Errorf("with %d descriptors: %v", left, err)
		}
	}
	if refused < 2 {
		t.Errorf("refused %d times", refused)
	}
	openFile(t, path).Close()
}

// opened opens a store while so many descriptors are left.
func opened(t *testing.T, path string, left uint64) (interface{ Close() error }, error) {
	t.Helper()
	probe, err := os.Open(os.DevNull) // takes the lowest that is free
	if err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := errors.Join(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was)); err != nil {
		t.Fatal(err)
	}
	few := syscall.Rlimit{Cur: uint64(probe.Fd()) + left, Max: was.Max}
	_ = probe.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was) }()
	return open.Store(credential.NewSecret("file://"+path), open.Options{})
}
