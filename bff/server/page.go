package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"mime"
	"path"
	"strings"
)

// Pages are files of a browser application that Coatcheck serves itself.
type Pages struct {
	// Files; index.html answers every path that no file has.
	Files fs.FS
	// CSP is the Content-Security-Policy of documents.
	CSP string
}

// asset is a file in memory, with its validator.
type asset struct {
	body        []byte
	contentType string
	etag        string
}

func newAsset(body []byte, contentType string) *asset {
	sum := sha256.Sum256(body)
	return &asset{body, contentType, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
}

// sendAsset answers with a, or with 304 where the browser has it (RFC 9110 §13.1.2).
func (x *exchange) sendAsset(a *asset, cacheControl string) {
	x.set("ETag", a.etag)
	x.set("Cache-Control", cacheControl)
	x.set("X-Content-Type-Options", "nosniff")
	x.isolateOrigin()
	if have, n := x.head.Get("if-none-match"); n > 0 && bytes.Contains(have, []byte(a.etag)) {
		x.empty(304)
		return
	}
	x.body(200, a.contentType, a.body)
	x.bytesOut = int64(len(a.body))
}

// sendClient answers with the browser client.
func (s *Server) sendClient(x *exchange) error {
	x.sendAsset(s.client, "max-age=3600")
	return nil
}

func (x *exchange) hasPages() bool { return x.server.pages[x.frontend.name] != nil }

// page answers with a file of the application, or with its index.
func (s *Server) page(x *exchange) error {
	if !x.isGet && !x.isHead {
		return errNotFound
	}
	p := s.pages[x.frontend.name]
	name := strings.TrimPrefix(string(x.target.path[len(x.frontend.base):]), "/")
	body, err := fs.ReadFile(p.Files, path.Clean("./"+name))
	if err != nil || strings.HasPrefix(path.Base(name), ".") {
		name = "index.html"
		if body, err = fs.ReadFile(p.Files, name); err != nil {
			return errNotFound
		}
	}
	if strings.HasSuffix(name, ".html") {
		x.set("Content-Security-Policy", p.CSP)
		x.set("Referrer-Policy", "same-origin")
		x.set("Cross-Origin-Opener-Policy", "same-origin")
	}
	x.sendAsset(newAsset(body, mime.TypeByExtension(path.Ext(name))), "no-cache")
	return nil
}
