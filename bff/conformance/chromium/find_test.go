package chromium_test

import (
	"os"
	"path/filepath"
	"testing"

	"coatcheck/bff/conformance/chromium"
)

// TestFind: the environment's choice comes before the PATH, and the PATH before what
// Playwright installed.
func TestFind(t *testing.T) {
	home, path := t.TempDir(), t.TempDir()
	for name, value := range map[string]string{"CHROMIUM": "", "PATH": path, "HOME": home, "PLAYWRIGHT_BROWSERS_PATH": ""} {
		t.Setenv(name, value)
	}
	expect := func(want string) {
		t.Helper()
		if got := chromium.Find(); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
	put := func(parts ...string) string {
		file := filepath.Join(parts...)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		return file
	}
	expect("")
	expect(put(home, ".cache", "ms-playwright", "chromium-1200", "chrome-linux", "chrome"))
	expect(put(path, "chromium-browser"))
	expect(put(path, "chromium"))
	t.Setenv("CHROMIUM", "/opt/own")
	expect("/opt/own")
}
