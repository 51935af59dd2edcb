// Package chromium drives a real Chromium: profiles with cookies of their own, tabs,
// scripts on pages. It speaks the DevTools protocol along the pipe that Chromium offers,
// so that there is no port that another program could find, and no library: the few
// commands that cases need have not changed in years.
package chromium

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// names are those under which packages put Chromium into the PATH.
var names = []string{"chromium", "google-chrome", "chromium-browser", "google-chrome-stable"}

// installed are the places below a folder of Playwright's cache.
var installed = []string{"chrome-linux*/chrome", "chrome-mac*/Chromium.app/Contents/MacOS/Chromium", "chrome-mac*/*.app/Contents/MacOS/Google Chrome for Testing"}

// Find is the path of a Chromium: of the environment's CHROMIUM, of a name in the PATH,
// or of the newest one that Playwright installed; "" where there is none.
func Find() string {
	if own := os.Getenv("CHROMIUM"); own != "" {
		return own
	}
	for _, name := range names {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	for _, cache := range caches() {
		for _, place := range installed {
			if found, _ := filepath.Glob(filepath.Join(cache, "chromium-*", place)); len(found) > 0 {
				return slices.Max(found)
			}
		}
	}
	return ""
}

// caches are the folders in which Playwright keeps browsers.
func caches() []string {
	if own := os.Getenv("PLAYWRIGHT_BROWSERS_PATH"); own != "" {
		return []string{own}
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	return []string{filepath.Join(home, ".cache", "ms-playwright"), filepath.Join(home, "Library", "Caches", "ms-playwright")}
}
