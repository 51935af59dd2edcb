package pages

import (
	"bytes"
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

// document opens the first of the names that there is; nil: there is none.
func (p *Pages) document(names ...string) (*document, error) {
	for _, name := range names {
		if f, err := p.openFile(name); err != nil {
			return nil, err
		} else if f != nil {
			return &document{f, name}, nil
		}
	}
	return nil, nil
}

// find finds the document that a path without an ending means, as static builds lay
// them out: /about is about.html or about/index.html, and /about/ the same the other
// way round. nil: there is none. An application of one page has its index only.
func (p *Pages) find(name string, slash bool) (*document, error) {
	if name == index {
		return p.document(index)
	}
	if p.Kind == SinglePage || strings.HasPrefix(name, wellKnown) {
		return nil, nil
	}
	plain, folder := name+".html", name+"/"+index
	if slash {
		return p.document(folder, plain)
	}
	return p.document(plain, folder)
}

// fallback finds the document for a path that no file answers: 404.html of a site of
// files, else the one page of the application. Only navigations get it: a page that
// fetches a path without a route would take HTML for the API's answer. nil: there is
// none.
func (p *Pages) fallback(r *routing.Request, name string) (d *document, status int, err error) {
	if strings.HasPrefix(name, wellKnown) {
		return nil, 0, nil
	}
	many, err := p.isManyFiles()
	switch {
	case err != nil:
		return nil, 0, err
	case many && (r.Navigates() || r.TakesAnything()):
		d, err = p.document(missing)
		return d, 404, err
	case many || !r.Navigates():
		return nil, 0, nil
	}
	d, err = p.document(shell, index)
	return d, 200, err
}

// isManyFiles reports whether the files are a site of files.
func (p *Pages) isManyFiles() (bool, error) {
	if p.Kind != FindOut {
		return p.Kind == ManyFiles, nil
	}
	d, err := p.document(missing)
	if d == nil {
		return false, err
	}
	defer d.Close()
	same, err := p.document(index)
	if same == nil {
		return err == nil, err
	}
	defer same.Close()
	if d.info.Size() != same.info.Size() {
		return true, nil
	}
	// GitHub Pages has no other way to serve an application of one page.
	equal, err := equalContent(d.file, same.file)
	return !equal && err == nil, err
}

func equalContent(a, b *file) (bool, error) {
	first, err := a.content()
	if err != nil {
		return false, err
	}
	second, err := b.content()
	return bytes.Equal(first, second), err
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
