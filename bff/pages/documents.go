package pages

import (
	"bytes"
	"io"
	"path"
	"strings"

	"coatcheck/bff/routing"
)

// Kind is what kind of site the files are: what answers a navigation that no file does.
type Kind int

// The kinds of sites. With FindOut a folder with a 404.html that is not its index.html
// is a site of files, as static builds make them; every other is an application of one
// page.
const (
	FindOut Kind = iota
	SinglePage
	ManyFiles
)

func kindOf(word string) Kind {
	switch word {
	case "spa":
		return SinglePage
	case "files":
		return ManyFiles
	}
	return FindOut
}

// Names of files that mean something.
const (
	index     = "index.html"
	shell     = "200.html" // the page of a build whose index.html is one page among others
	missing   = "404.html"
	wellKnown = ".well-known/"
)

// document is an open HTML file. Whoever has it closes it.
type document struct {
	*file
	name string
}

func (p *Pages) document(name string) *document {
	if f := openFile(p.Files, name); f != nil {
		return &document{f, name}
	}
	return nil
}

// find finds the document that a path without an ending means, as static builds lay
// them out: /about is about.html or about/index.html, and /about/ the same the other
// way round. nil: there is none. An application of one page has its index only.
func (p *Pages) find(name string, slash bool) *document {
	if name == index {
		return p.document(index)
	}
	if p.Kind == SinglePage || strings.HasPrefix(name, wellKnown) {
		return nil
	}
	names := [2]string{name + ".html", name + "/" + index}
	if slash {
		names[0], names[1] = names[1], names[0]
	}
	for _, n := range names {
		if d := p.document(n); d != nil {
			return d
		}
	}
	return nil
}

// fallback finds the document for a path that no file answers: 404.html of a site of
// files, else the one page of the application. Only navigations get it: a page that
// fetches a path without a route would take HTML for the API's answer. nil: there is
// none.
func (p *Pages) fallback(r *routing.Request, name string) (d *document, status int) {
	if strings.HasPrefix(name, wellKnown) {
		return nil, 0
	}
	if p.isManyFiles() {
		if r.Navigates() || r.TakesAnything() {
			return p.document(missing), 404
		}
		return nil, 0
	}
	if !r.Navigates() {
		return nil, 0
	}
	if d = p.document(shell); d == nil {
		d = p.document(index)
	}
	return d, 200
}

func (p *Pages) isManyFiles() bool {
	if p.Kind != FindOut {
		return p.Kind == ManyFiles
	}
	d := p.document(missing)
	if d == nil {
		return false
	}
	defer d.Close()
	// GitHub Pages has no other way to serve an application of one page.
	same := p.document(index)
	if same == nil {
		return true
	}
	defer same.Close()
	return d.info.Size() != same.info.Size() || !bytes.Equal(d.content(), same.content())
}

// content is the beginning of a file, as much of it as a document may be long.
func (f *file) content() []byte {
	b, _ := io.ReadAll(io.NewSectionReader(f, 0, min(f.info.Size(), maxDocument)))
	return b
}

// jsonNames are files without an ending that are JSON by their specifications: Apple's
// universal links, WebAuthn's related origins, the metadata of OpenID and OAuth, and the
// like.
var jsonNames = map[string]bool{
	"apple-app-site-association": true, "webauthn": true, "passkey-endpoints": true, "web-app-origin-association": true,
	"openid-configuration": true, "oauth-authorization-server": true, "oauth-protected-resource": true,
}

// isNamedJSON reports whether a file is JSON by its name alone.
func isNamedJSON(name string) bool {
	base := path.Base(name)
	return base == "apple-app-site-association" || strings.HasPrefix(name, wellKnown) && jsonNames[base]
}
