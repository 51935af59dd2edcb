package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

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

// isPage reports whether the path is one of the application's own: below its base path,
// and neither a route's nor Coatcheck's.
func (x *exchange) isPage() bool {
	return x.frontend.pages != nil && x.route == nil && under(x.target.path, x.frontend.base) && !x.isBFF()
}

// page answers with a file of the application, or with its index. Pages are for
// whoever follows a link, so that neither guard nor session stands before them.
func (s *Server) page(x *exchange) error {
	if !x.isGet && !x.isHead {
		return errMethod.with(func(p *Problem) { p.Allow = "GET, HEAD" })
	}
	name, ok := fileName(x.target.path[len(x.frontend.base):]) // below it: see isPage
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
	return x.sendOpen(f, "index.html", "")
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
	at := indexFold(page, "</head>")
	if at < 0 {
		at = len(page)
	}
	return slices.Concat(page[:at], block, page[at:])
}

// indexFold finds lower in b, without regard to the case of ASCII letters, or returns
// -1. Byte by byte: the lower case of a whole page may be longer or shorter than the
// page ("İ", "ẞ", bytes that are no UTF-8), and its offsets are not the page's.
func indexFold(b []byte, lower string) int {
	for i := range b {
		if b[i] == lower[0] && http1.HasPrefixFold(b[i:], lower) {
			return i
		}
	}
	return -1
}
