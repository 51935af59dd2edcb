// Package web holds what runs in browsers: the client that every Coatcheck
// serves as /bff/client.js (folder client), and the pages of the demo (folder
// demo). Both are embedded, so that the program is one file.
package web

import (
	"embed"
	"io/fs"
)

//go:embed client/client.js
var client []byte

//go:embed demo
var demo embed.FS

// Client returns the browser client, an ES module without dependencies. It is
// served as it lies in the folder; callers do not change it.
func Client() []byte { return client }

// Demo returns the demo's pages: index.html and what it loads.
func Demo() fs.FS {
	pages, err := fs.Sub(demo, "demo")
	if err != nil {
		panic(err) // only for an invalid path, and this one is constant
	}
	return pages
}
