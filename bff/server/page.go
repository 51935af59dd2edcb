package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/http1"
)

// Pages are files of a browser application that Coatcheck serves itself.
type Pages struct {
	// Files of the application; index.html answers every navigation that no file does.
	Files fs.FS
	// CSP is the Content-Security-Policy of documents.
	CSP string
}

// maxIndex is the largest index.html, in bytes, that a session is put into.
const maxIndex = 1 << 20

// hashed recognises names that a bundler made of the content: app-BX3kq2Lh.js,
// main.8f3e1c90.css. The last part must look like a hash, not like a word.
var hashed = regexp.MustCompile(`[.-]([A-Za-z0-9_-]{8,})\.[a-z0-9]+$`)

// encodings are the ready-made compressions that are looked for, the best first.
var encodings = []struct{ name, suffix string }{{"br", ".br"}, {"gzip", ".gz"}}

func (x *exchange) hasPages() bool { return x.frontend.pages != nil }

// page answers with a file of the application, or with its index. Pages are for
// whoever follows a link, so that neither guard nor session stands before them.
func (s *Server) page(x *exchange) error {
	if !x.isGet && !x.isHead {
		return errMethod.with(func(p *Problem) { p.Allow = "GET, HEAD" })
	}
	name, ok := fileName(x.target.path[len(x.frontend.base):])
	if !ok {
		return errNotFound
	}
	if name != "index.html" {
		if sent, err := x.sendFile(x.frontend.pages.Files, name); sent || err != nil {
			return err
		}
		if !x.navigates() && path.Ext(name) != "" {
			return errNotFound // a missing script must not come as a page
		}
	}
	return s.sendIndex(x)
}

// fileName is the file that a path means: decoded once, no dot files, no way out.
func fileName(p []byte) (string, bool) {
	name, err := url.PathUnescape(strings.TrimPrefix(string(p), "/"))
	if err != nil || strings.Contains(name, "//") {
		return "", false
	}
	name = strings.TrimSuffix(name, "/")
	if name == "" {
		return "index.html", true
	}
	for segment := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(segment, ".") {
			return "", false
		}
	}
	return name, fs.ValidPath(name)
}

// navigates reports whether a person opens a page, rather than a page a file.
func (x *exchange) navigates() bool {
	if mode, n := x.head.Get("sec-fetch-mode"); n > 0 {
		return string(mode) == "navigate"
	}
	accept, _ := x.head.Get("accept")
	return bytes.Contains(accept, []byte("text/html"))
}

// sendFile answers with a file, if there is one: the ready-made compression that the
// browser takes, a part if it asks for one, nothing if it has it.
func (x *exchange) sendFile(files fs.FS, name string) (bool, error) {
	kind := mime.TypeByExtension(path.Ext(name))
	for _, e := range encodings {
		if !x.accepts(e.name) {
			continue
		}
		if f := openFile(files, name+e.suffix); f != nil {
			x.set("Content-Encoding", e.name)
			x.set("Vary", "Accept-Encoding")
			return true, x.sendOpen(f, name, kind)
		}
	}
	f := openFile(files, name)
	if f == nil {
		return false, nil
	}
	return true, x.sendOpen(f, name, kind)
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

// etag is made of size and time; of the content where there is no time (embedded files).
func (f *file) etag() string {
	if !f.info.ModTime().IsZero() {
		return fmt.Sprintf(`"%x-%x"`, f.info.ModTime().UnixNano(), f.info.Size())
	}
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, f.info.Size()))
	return contentTag(b)
}

func (x *exchange) sendOpen(f *file, name, kind string) error {
	etag := f.etag()
	x.fileHeaders(name, kind, etag, f.info.ModTime())
	if x.has(etag) || x.unchangedSince(f.info.ModTime()) {
		x.empty(304)
		return f.Close()
	}
	from, to, partial, ok := x.wantedRange(f.info.Size(), etag)
	if !ok {
		x.set("Content-Range", fmt.Sprintf("bytes */%d", f.info.Size()))
		x.empty(416)
		return f.Close()
	}
	x.ctx.SetStatusCode(200)
	if partial {
		x.ctx.SetStatusCode(206)
		x.set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to-1, f.info.Size()))
	}
	x.bytesOut = to - from
	x.ctx.Response.SetBodyStream(&section{io.NewSectionReader(f, from, to-from), f}, int(to-from))
	return nil
}

// section is a part of a file, which it closes.
type section struct {
	*io.SectionReader
	f *file
}

func (s *section) Close() error { return s.f.Close() }

func (x *exchange) fileHeaders(name, kind, etag string, changed time.Time) {
	if kind == "" {
		kind = "application/octet-stream"
	}
	x.ctx.Response.Header.SetContentType(kind)
	x.set("ETag", etag)
	x.set("Accept-Ranges", "bytes")
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if !changed.IsZero() {
		x.set("Last-Modified", changed.UTC().Format(httpDate))
	}
	if isHashed(name) {
		x.set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		x.set("Cache-Control", "no-cache")
	}
	if strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "image/svg") {
		x.documentHeaders()
	}
}

const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

func isHashed(name string) bool {
	m := hashed.FindStringSubmatch(path.Base(name))
	return m != nil && strings.ContainsAny(m[1], "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// documentHeaders are those of everything that can be shown as a page.
func (x *exchange) documentHeaders() {
	if csp := x.frontend.pages.CSP; csp != "" {
		x.set("Content-Security-Policy", csp)
	}
	x.set("Referrer-Policy", "strict-origin-when-cross-origin")
	x.set("Cross-Origin-Opener-Policy", "same-origin")
}

// accepts reports whether the browser takes a content coding (RFC 9110 §12.5.3).
func (x *exchange) accepts(coding string) (yes bool) {
	list, _ := x.head.Get("accept-encoding")
	http1.Options(list, func(option []byte) {
		name, weight, _ := strings.Cut(string(option), ";")
		weight = strings.ReplaceAll(weight, " ", "")
		yes = yes || strings.EqualFold(strings.TrimSpace(name), coding) && weight != "q=0" && weight != "q=0.0"
	})
	return yes
}

// unchangedSince answers If-Modified-Since, which counts only without If-None-Match
// (RFC 9110 §13.1.3).
func (x *exchange) unchangedSince(changed time.Time) bool {
	since, n := x.head.Get("if-modified-since")
	if _, tags := x.head.Get("if-none-match"); n != 1 || tags > 0 || changed.IsZero() {
		return false
	}
	t, err := time.Parse(httpDate, string(since))
	return err == nil && !changed.Truncate(time.Second).After(t)
}

// wantedRange reads Range (RFC 9110 §14): one part; of several, and of what cannot
// be read, the whole is the answer. ok is false where the part lies behind the end.
func (x *exchange) wantedRange(size int64, etag string) (from, to int64, partial, ok bool) {
	value, n := x.head.Get("range")
	if condition, conditions := x.head.Get("if-range"); conditions > 0 && string(condition) != etag {
		n = 0
	}
	spec, bytesUnit := strings.CutPrefix(string(value), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if n != 1 || !bytesUnit || !dash || strings.Contains(spec, ",") {
		return 0, size, false, true
	}
	a, hasA := decimal(first)
	b, hasB := decimal(last)
	switch {
	case first == "" && hasB: // the last b bytes
		return max(0, size-b), size, true, b > 0 && size > 0
	case !hasA || last != "" && (!hasB || b < a):
		return 0, size, false, true
	case a >= size:
		return 0, 0, false, false
	case last == "":
		return a, size, true, true
	}
	return a, min(b+1, size), true, true
}

func decimal(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// sendIndex answers a navigation. Where the request brings a live session, its
// document is put into the page, so that the first paint knows who is there; such a
// page is kept nowhere. Otherwise the page asks: a Strict cookie is absent on a link
// from a mail.
func (s *Server) sendIndex(x *exchange) error {
	f := openFile(x.frontend.pages.Files, "index.html")
	if f == nil {
		return errNotFound
	}
	if f.info.Size() <= maxIndex {
		if doc := s.inline(x); doc != nil {
			b, err := io.ReadAll(io.NewSectionReader(f, 0, maxIndex))
			_ = f.Close()
			if err != nil {
				return err
			}
			x.documentHeaders()
			x.own()
			x.vary("Cookie")
			x.body(200, "text/html; charset=utf-8", withSession(b, doc))
			return nil
		}
	}
	x.vary("Cookie")
	return x.sendOpen(f, "index.html", "text/html; charset=utf-8")
}

// inline is the session document of the request, or nil. It never extends the session.
func (s *Server) inline(x *exchange) []byte {
	x.readTicket()
	if !x.hasTicket {
		return nil
	}
	found, err := s.manager.Look(context.Background(), x.frontend.name, x.ticket)
	if err != nil {
		return nil // the page asks, and is told why
	}
	x.session = found
	doc, err := json.Marshal(s.document(x, found)) // escapes <, > and &
	if err != nil {
		return nil
	}
	return doc
}

// withSession puts the document in front of the end of the head; where the page has
// none, behind all.
func withSession(page, doc []byte) []byte {
	block := slices.Concat([]byte(`<script type="application/json" id="bff-session">`), doc, []byte("</script>"))
	at := bytes.Index(bytes.ToLower(page), []byte("</head>"))
	if at < 0 {
		return append(page, block...)
	}
	return slices.Concat(page[:at], block, page[at:])
}
