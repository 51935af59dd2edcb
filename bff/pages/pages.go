// Package pages answers with the files of a browser application that Coatcheck serves
// itself: documents, with the session of whoever opens them put in, and everything that
// they load.
//
// Pages are for whoever follows a link, so that neither guard nor session stands before
// them; nothing secret may be in the folder.
package pages

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strings"

	"coatcheck/bff/auth"
	"coatcheck/bff/call"
	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
	"coatcheck/bff/session"
	"coatcheck/configs"
)

// Pages are files of a browser application that Coatcheck serves itself.
type Pages struct {
	// Files of the application. What a path finds among them, see [Pages.find].
	Files fs.FS
	// CSP is the Content-Security-Policy of documents.
	CSP string
	// Kind says what answers a navigation that no file does. The zero value finds out.
	Kind Kind

	outside error // what Files says of a path that leads out of them; nil: nothing of its own
}

// maxDocument is the largest document, in bytes, that a session is put into.
const maxDocument = 1 << 20

// Server answers with the pages of all frontends of one configuration.
type Server struct {
	manager  *session.Manager
	document func(*configs.Frontend, *session.Session) ([]byte, error)
	pages    []*Pages // by frontend; nil: none
}

// Options are what a Server is made of. All but Pages are required.
type Options struct {
	// Table names the frontends, Manager finds the session of the page's document.
	Table   *routing.Table
	Manager *session.Manager
	// Document renders the session document for a page; it must be safe inside a script
	// element.
	Document func(*configs.Frontend, *session.Session) ([]byte, error)
	// Pages are built-in pages by frontend name; they go before spa.dir.
	Pages map[string]*Pages
}

// New opens the folders of the configuration. An error names the key.
func New(o Options) (*Server, error) {
	s := &Server{manager: o.Manager, document: o.Document}
	for _, f := range o.Table.Frontends {
		p, err := pagesOf(f, o.Pages[f.Name])
		if err != nil {
			return nil, err
		}
		s.pages = append(s.pages, p)
	}
	return s, nil
}

func pagesOf(f *routing.Frontend, builtIn *Pages) (*Pages, error) {
	spa := f.Config.SPA
	if builtIn != nil || spa == nil || spa.Dir == "" {
		return builtIn, nil
	}
	root, err := os.OpenRoot(spa.Dir) // a root cannot be left by links either
	if err != nil {
		return nil, fmt.Errorf("frontends.%s.spa.dir: %w", f.Name, err)
	}
	return &Pages{Files: root.FS(), CSP: spa.CSP, Kind: kindOf(spa.Pages), outside: outsideOf(root)}, nil
}

// Serve answers with a file of the application, with the document that a path means,
// or, to a navigation only, with the page for all that no file answers.
func (s *Server) Serve(c *call.Call) error {
	f := c.Frontend()
	p := s.pages[f.Index]
	name, ok := fileName(c.Decision.Target.Path[len(f.Base):]) // below it: see routing.Page
	if !ok {
		return problem.NotFound
	}
	slash := bytes.HasSuffix(c.Decision.Target.Path, []byte("/"))
	if name != index && !slash { // what ends in a slash is no file
		if sent, err := p.sendFile(c, name); sent || err != nil {
			return err
		}
	}
	document, err := p.find(name, slash)
	status := 200
	if document == nil && err == nil {
		document, status, err = p.fallback(&c.Request, name)
	}
	switch {
	case err != nil:
		return err
	case document == nil:
		return problem.NotFound // a missing script, or an answer to fetch, must not come as a page
	}
	return s.sendDocument(c, p, document, status)
}

// fileName is the file that a path means: decoded once, no dot files, no way out. Files
// below /.well-known/ are meant to be found (RFC 8615).
func fileName(p []byte) (string, bool) {
	name, err := url.PathUnescape(strings.TrimPrefix(string(p), "/"))
	if err != nil || strings.Contains(name, "//") {
		return "", false
	}
	name = strings.TrimSuffix(name, "/")
	if name == "" {
		return index, true
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(name, wellKnown), "/") {
		if strings.HasPrefix(segment, ".") {
			return "", false
		}
	}
	return name, fs.ValidPath(name)
}

// IsFileName reports whether some file could answer a path, which begins behind the
// frontend's base path.
func IsFileName(path []byte) bool {
	_, ok := fileName(path)
	return ok
}

// sendDocument answers with a document, which it closes. Where the request brings a live
// session, its own document is put into the page, so that the first paint knows who is there; such a
// page is kept nowhere. Otherwise the page asks: a Strict cookie is absent on a link
// from a mail.
func (s *Server) sendDocument(c *call.Call, p *Pages, d *document, status int) error {
	var doc []byte
	if d.info.Size() <= maxDocument {
		doc = s.inline(c)
	}
	if doc == nil && status == 200 {
		c.Reply.Header.Vary("Cookie")
		return p.sendOpen(c, d.file, d.name, "")
	}
	b, err := io.ReadAll(io.NewSectionReader(d.file, 0, d.info.Size()))
	_ = d.file.Close()
	if err != nil {
		return unreadable(err)
	}
	p.documentHeaders(c)
	c.Own()
	c.Reply.Header.Vary("Cookie")
	if doc == nil {
		c.Reply.Header.Set("Cache-Control", "no-cache")
	} else {
		b = withSession(b, doc)
	}
	c.Reply.Bytes(status, "text/html; charset=utf-8", b)
	return nil
}

// inline is the session document of the request, or nil. It never extends the session.
func (s *Server) inline(c *call.Call) []byte {
	ticket, ok := auth.Ticket(c.Request.Head, c.Frontend())
	if !ok {
		return nil
	}
	found, err := s.manager.Peek(context.Background(), c.Frontend().Name, ticket)
	if err != nil {
		return nil // the page asks, and learns why
	}
	c.Record.Session = found.LogID
	doc, err := s.document(c.Frontend().Config, found)
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
