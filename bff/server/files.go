package server

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
)

// sendFile answers with a file, if there is one: the ready-made compression that the
// browser likes best, a part if it asks for one, nothing if it has it.
func (x *exchange) sendFile(files fs.FS, name string) (bool, error) {
	for _, e := range x.accepted() {
		if f := openFile(files, name+e.suffix); f != nil {
			x.vary("Accept-Encoding")
			return true, x.sendOpen(f, name, e.name)
		}
	}
	f := openFile(files, name)
	if f == nil {
		return false, nil
	}
	x.vary("Accept-Encoding") // of the plain file, too: others get another (RFC 9110 §12.5.5)
	return true, x.sendOpen(f, name, "")
}

// file is an open regular file.
type file struct {
	fs.File
	io.ReaderAt
	info fs.FileInfo
}

func openFile(files fs.FS, name string) *file {
	f, err := files.Open(name)
	if err != nil {
		return nil
	}
	info, err := f.Stat()
	at, ok := f.(io.ReaderAt)
	if err != nil || !ok || !info.Mode().IsRegular() {
		_ = f.Close()
		return nil
	}
	return &file{f, at, info}
}

// etag is made of size and time; of the content where there is no time (embedded
// files). The coding is part of it, because two forms may be equal in both.
func (f *file) etag(coding string) string {
	if !f.info.ModTime().IsZero() {
		return fmt.Sprintf(`"%x-%x%s"`, f.info.ModTime().UnixNano(), f.info.Size(), coding)
	}
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, f.info.Size()))
	return contentTag(b)
}

// sendOpen answers with an open file, which it closes: what the conditions and the
// range of the request leave of it. coding is its Content-Encoding, or empty.
func (x *exchange) sendOpen(f *file, name, coding string) error {
	v := validators{f.etag(coding), f.info.ModTime()}
	if status := v.failed(x.head); status != 0 {
		x.empty(status)
		if status == http.StatusNotModified {
			x.fileHeaders(name, v) // they renew what the browser has (RFC 9110 §15.4.5)
		}
		return f.Close()
	}
	size := f.info.Size()
	p, partial, ok := x.wanted(size, v)
	if !ok {
		x.set("Content-Range", fmt.Sprintf("bytes */%d", size))
		x.empty(http.StatusRequestedRangeNotSatisfiable)
		return f.Close()
	}
	x.fileHeaders(name, v)
	x.describe(name, coding, v)
	x.ctx.SetStatusCode(http.StatusOK)
	if partial {
		x.ctx.SetStatusCode(http.StatusPartialContent)
		x.set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", p.first, p.end-1, size))
	}
	if !x.isHead {
		x.bytesOut = p.length()
	}
	x.ctx.Response.SetBodyStream(&section{io.NewSectionReader(f, p.first, p.length()), f}, int(p.length()))
	return nil
}

// section is a part of a file, which it closes.
type section struct {
	*io.SectionReader
	f *file
}

func (s *section) Close() error { return s.f.Close() }

// fileHeaders say who may use the file, and how long it may be kept.
func (x *exchange) fileHeaders(name string, v validators) {
	x.set("ETag", v.etag)
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if isHashed(name) {
		x.set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		x.set("Cache-Control", "no-cache")
	}
	if isDocument(mediaType(name)) {
		x.documentHeaders()
	}
}

// describe says what is sent. It stands on answers with content only.
func (x *exchange) describe(name, coding string, v validators) {
	x.ctx.Response.Header.SetContentType(mediaType(name))
	x.set("Accept-Ranges", "bytes")
	if coding != "" {
		x.set("Content-Encoding", coding)
	}
	if v.hasTime() {
		x.set("Last-Modified", v.changed.UTC().Format(http.TimeFormat))
	}
}

// documentHeaders are those of everything that can be shown as a page.
func (x *exchange) documentHeaders() {
	if csp := x.frontend.pages.CSP; csp != "" {
		x.set("Content-Security-Policy", csp)
	}
	x.set("Referrer-Policy", "strict-origin-when-cross-origin")
	x.set("Cross-Origin-Opener-Policy", "same-origin")
}
