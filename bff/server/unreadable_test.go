package server_test

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"coatcheck/bff/pages"
	"coatcheck/bff/rig"
)

// failing are files of which one cannot be read: opening it, or a later stage, fails.
type failing struct {
	fs.FS
	name, stage string
	err         error
}

func (f *failing) Open(name string) (fs.File, error) {
	if name != f.name {
		return f.FS.Open(name)
	}
	if f.stage == "open" {
		return nil, &fs.PathError{Op: "openat", Path: name, Err: f.err}
	}
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &failingFile{file, f}, nil
}

type failingFile struct {
	fs.File
	of *failing
}

func (f *failingFile) Stat() (fs.FileInfo, error) {
	if f.of.stage == "stat" {
		return nil, &fs.PathError{Op: "stat", Path: f.of.name, Err: f.of.err}
	}
	return f.File.Stat()
}

func (f *failingFile) ReadAt([]byte, int64) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.of.name, Err: f.of.err}
}

// TestUnreadableFiles: a file that cannot be read at the moment is not one that does not
// exist. It is 503, kept nowhere, with its cause in the log, and no page comes in its place;
// what does not exist, or cannot, is 404 as ever.
func TestUnreadableFiles(t *testing.T) {
	const navigate = "Sec-Fetch-Mode: navigate"
	faults := []error{syscall.EMFILE, syscall.ENFILE, syscall.EACCES, syscall.EIO, syscall.ENOMEM, syscall.ESTALE, fs.ErrClosed, errors.New("what nobody foresaw")}
	absent := []error{fs.ErrNotExist, fs.ErrInvalid, syscall.ENOENT, syscall.ENOTDIR, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ELOOP, syscall.ENXIO}
	for _, row := range []struct {
		name, stage, request string
		headers              []string
	}{
		{"app.js", "open", "GET /app.js", nil},
		{"app.js", "open", "HEAD /app.js", nil},
		{"app.js", "stat", "GET /app.js", nil},
		{"app.js", "open", "GET /app.js", []string{navigate}}, // not the page of the application
		{"app.js.br", "open", "GET /app.js", []string{"Accept-Encoding: br"}},
		{"index.html", "open", "GET /", []string{navigate}},
		{"index.html", "stat", "GET /", []string{navigate}},
		{"index.html", "open", "GET /orders", []string{navigate}},
		{"index.html", "read", "GET /orders", []string{navigate}}, // no time of change: it is read for its tag
		{"about.html", "open", "GET /about", nil},
		{"about/index.html", "open", "GET /about", nil},
		{"404.html", "open", "GET /orders", []string{navigate}},
		{"200.html", "open", "GET /orders", []string{navigate}},
	} {
		files := &failing{FS: fstest.MapFS{"index.html": {Data: []byte("<!doctype html>")}, "app.js": {Data: []byte("APP")}, "app.js.br": {Data: []byte("BR")}}, name: row.name, stage: row.stage}
		if row.name == "404.html" {
			files.FS.(fstest.MapFS)["404.html"] = &fstest.MapFile{Data: []byte("<!doctype html>")}
		}
		h := open(t, settings{pages: map[string]*pages.Pages{"shop": {Files: files}}})
		for _, files.err = range faults {
			got := h.call(row.request, row.headers...)
			if got.StatusCode != 503 || got.code() != "upstream_unavailable" || got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Retry-After") == "" {
				t.Errorf("%s, %s at %s of %s: %d %v", row.request, files.err, row.stage, row.name, got.StatusCode, got.Header)
			}
			if line := last(h.logs.String()); !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, files.err.Error()) || strings.Contains(strings.Split(line, `"error"`)[1], row.name) {
				t.Errorf("log: %s", line)
			}
		}
		for _, files.err = range absent {
			if got := h.call(row.request, row.headers...); row.stage == "open" && got.StatusCode >= 500 {
				t.Errorf("%s, %s: %d", row.request, files.err, got.StatusCode)
			}
		}
	}
}

// TestFileBreaksOff: a file that cannot be read to its end ends the connection, and the line
// of the call says why.
func TestFileBreaksOff(t *testing.T) {
	files := &failing{FS: fstest.MapFS{"app.js": {Data: []byte("APP"), ModTime: lastChange}}, name: "app.js", stage: "read", err: syscall.EIO}
	h := open(t, settings{pages: map[string]*pages.Pages{"shop": {Files: files}}})
	h.faulty("GET /app.js HTTP/1.1\r\nHost: shop.example.com\r\n\r\n")
	rig.Until(t, "the line of the call", func() bool { return strings.Contains(h.logs.String(), `"path":"/app.js"`) })
	if line := last(h.logs.String()); !strings.Contains(line, `"code":"upstream_unavailable"`) || !strings.Contains(line, syscall.EIO.Error()) {
		t.Errorf("log: %s", line)
	}
}

// last is the last line of a text.
func last(text string) string {
	text = strings.TrimSuffix(text, "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}
