// Package web holds what runs in browsers: the client that every Coatcheck
// serves as /bff/client.js (folder client, minified and committed), and the pages of the demo (folder demo:
// TypeScript in src, what Vite makes of it in dist, committed, so that building the
// program needs no Node). Both are embedded, so that the program is one file.
package web

import (
	"embed"
	"io/fs"
)

//go:embed client/client.min.js
var client []byte

//go:embed demo/dist
var demo embed.FS

// Client returns the browser client, an ES module without dependencies, minified.
// It is served as it is; callers do not change it.
func Client() []byte { return client }

// Demo returns the demo's pages, as they were built: index.html and what it loads.
func Demo() fs.FS { return built("pages") }

// Evil returns the page of the demo's attacker, which stands on an origin of its own.
func Evil() fs.FS { return built("evil") }

func built(name string) fs.FS {
	files, err := fs.Sub(demo, "demo/dist/"+name)
	if err != nil {
		panic(err) // only for an invalid path, and these are constant
	}
	return files
}
