package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// layOut writes a folder of files whose text says which they are.
func layOut(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("<html><head></head>file "+name+"</html>"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sites are static builds as tools lay them out, and what a person finds who opens a
// path: a file, with its status.
var sites = map[string]struct {
	spa   string
	files []string
	opens map[string]string
}{
	"Next.js, output: export": {"", []string{"index.html", "404.html", "about.html", "about.txt", "blog.html", "blog/post.html", "docs/index.html", "_next/static/chunks/main-0123456789abcdef.js"}, map[string]string{
		"/": "index.html", "/about": "about.html", "/about/": "about.html", "/about.html": "about.html", "/blog": "blog.html", "/blog/": "blog.html", "/blog/post": "blog/post.html",
		"/docs": "docs/index.html", "/docs/": "docs/index.html", "/nope": "404 404.html", "/blog/nope": "404 404.html", "/_next/static/nope.js": "404 404.html"}},
	"Next.js, trailingSlash": {"", []string{"index.html", "404.html", "404/index.html", "about/index.html", "blog/index.html", "blog/post/index.html"}, map[string]string{
		"/about": "about/index.html", "/about/": "about/index.html", "/blog/post/": "blog/post/index.html", "/nope/": "404 404.html"}},
	"Astro": {"", []string{"index.html", "404.html", "about/index.html", "blog/index.html", "blog/first/index.html", "_astro/index.BX3kq2Lh.css"}, map[string]string{
		"/": "index.html", "/about": "about/index.html", "/about/": "about/index.html", "/blog/first": "blog/first/index.html", "/_astro": "404 404.html", "/nope": "404 404.html"}},
	"Astro without a 404 page": {", pages: files", []string{"index.html", "about/index.html"}, map[string]string{
		"/": "index.html", "/about/": "about/index.html", "/nope": "404 "}},
	"SvelteKit, prerendered": {"", []string{"index.html", "404.html", "about.html", "blog/first.html", "_app/immutable/entry/start.BX3kq2Lh.js"}, map[string]string{
		"/about": "about.html", "/blog/first": "blog/first.html", "/blog": "404 404.html", "/nope": "404 404.html"}},
	"SvelteKit, fallback 200.html": {"", []string{"index.html", "200.html", "about.html"}, map[string]string{
		"/": "index.html", "/about": "about.html", "/orders/5": "200.html"}},
	"Vite": {"", []string{"index.html", "assets/app-BX3kq2Lh.js"}, map[string]string{
		"/": "index.html", "/orders/5": "index.html", "/assets/": "index.html", "/orders/5.5": "index.html"}},
	"one page, by word": {", pages: spa", []string{"index.html", "404.html", "about.html"}, map[string]string{
		"/about": "index.html", "/nope": "index.html", "/about.html": "about.html"}},
}

// TestStaticSites: what each kind of build means by a path, for people and for fetch.
func TestStaticSites(t *testing.T) {
	for name, site := range sites {
		t.Run(name, func(t *testing.T) {
			h := open(t, withSPA(`{dir: "`+layOut(t, site.files...)+`"`+site.spa+"}"))
			cookie := h.signIn("ada@x.test")
			for path, want := range site.opens {
				status, file := 200, want
				if rest, ok := strings.CutPrefix(want, "404 "); ok {
					status, file = 404, rest
				}
				for _, headers := range [][]string{{"Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: cross-site"}, {"Accept: text/html,*/*;q=0.8"}} {
					got := h.call("GET "+path, headers...)
					if got.StatusCode != status || file != "" && !strings.Contains(got.body, "file "+file) {
						t.Errorf("%s: %d %.80q, want %d %s", path, got.StatusCode, got.body, status, file)
					}
					if head := h.call("HEAD "+path, headers...); head.StatusCode != status || head.body != "" {
						t.Errorf("HEAD %s: %d %q", path, head.StatusCode, head.body)
					}
				}
				exact := strings.HasSuffix(path, ".html")
				if got := h.call("GET "+path, cookie, "Sec-Fetch-Mode: navigate"); !exact && file != "" && (!strings.Contains(got.body, `id="bff-session"`) || got.Header.Get("Cache-Control") != "no-store" || got.StatusCode != status) {
					t.Errorf("%s, signed in: %d %v", path, got.StatusCode, got.Header)
				}
			}
		})
	}
}

// TestFetchGetsNoPage: a page that fetches what neither a route nor a file answers gets a
// problem document; only a navigation gets the application.
func TestFetchGetsNoPage(t *testing.T) {
	for name, dir := range map[string]string{"one page": layOut(t, "index.html"), "files": layOut(t, "index.html", "404.html")} {
		t.Run(name, func(t *testing.T) {
			h := open(t, withSPA(`{dir: "`+dir+`"}`))
			for _, path := range []string{"/graphql", "/api", "/orders/5", "/x.json"} {
				for _, headers := range [][]string{
					{"Accept: application/json", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"},
					{"Accept: */*", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors"}, {"Accept: text/html", "Sec-Fetch-Mode: cors"},
					{"Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script"}, {"Accept: application/json"}, {"Accept: application/json, text/plain, */*"},
				} {
					h.want(h.call("GET "+path, headers...), 404, "not_found")
				}
			}
			if got := h.call("GET /", "Sec-Fetch-Mode: cors"); got.StatusCode != 200 {
				t.Errorf("the index itself: %d", got.StatusCode)
			}
		})
	}
}

// TestWellKnown: files below /.well-known/ are served, dot files are not, and what is
// missing there is no page.
func TestWellKnown(t *testing.T) {
	h := open(t, withSPA("{dir: "+layOut(t, "index.html", ".well-known/assetlinks.json", ".well-known/apple-app-site-association", ".well-known/security.txt", ".well-known/acme-challenge/token",
		".well-known/.env", ".well-known/.git/config", ".env", ".git/config", ".well-knownx/a", "a/.well-known/b", "apple-app-site-association")+"}"))
	for path, kind := range map[string]string{
		"/.well-known/assetlinks.json": "application/json", "/.well-known/apple-app-site-association": "application/json", "/apple-app-site-association": "application/json",
		"/.well-known/security.txt": "text/plain; charset=utf-8", "/.well-known/acme-challenge/token": "application/octet-stream",
	} {
		got := h.call("GET "+path, "Accept: */*")
		if got.StatusCode != 200 || got.Header.Get("Content-Type") != kind || !strings.Contains(got.body, "file "+strings.TrimPrefix(path, "/")) {
			t.Errorf("%s: %d %v", path, got.StatusCode, got.Header)
		}
	}
	for _, path := range []string{"/.well-known/.env", "/.well-known/.git/config", "/.env", "/.git/config", "/.well-knownx/a", "/a/.well-known/b", "/.well-known/nope", "/.well-known/", "/.well-known", "/.well-known/.well-known/x"} {
		for _, headers := range [][]string{{"Sec-Fetch-Mode: navigate"}, {"Accept: */*"}} {
			if got := h.call("GET "+path, headers...); got.StatusCode != 404 || strings.Contains(got.body, "file ") {
				t.Errorf("%s %v: %d %.80q", path, headers, got.StatusCode, got.body)
			}
		}
	}
}

// TestExactRoute: a path without "/" at its end is this one path.
func TestExactRoute(t *testing.T) {
	s := withSPA("{dir: " + layOut(t, "index.html") + "}")
	spa := s.edit
	s.edit = func(text string) string {
		return replaced(spa(text), "      - {path: /plain/,", `      - {path: /graphql, upstream: api}
      - {path: /rpc, upstream: api, rewrite: /v1/rpc/all}
      - {path: /api/x, upstream: api, rewrite: /exact}
      - {path: /plain/,`)
	}
	h := open(t, s)
	cookie := h.signIn("ada@x.test")
	for path, want := range map[string]string{"/graphql": "/graphql", "/graphql?a=b": "/graphql?a=b", "/rpc": "/v1/rpc/all", "/api/x": "/exact", "/api/x/": "/api/x/", "/api/xy": "/api/xy"} {
		if got := h.call("POST "+path+"\n\n{}", cookie, shop, xcsrf, json_); got.StatusCode != 200 || h.api.Last(t).URI != want {
			t.Errorf("%s: %d, the API saw %s", path, got.StatusCode, h.api.Last(t).URI)
		}
	}
	for _, path := range []string{"/graphql/", "/graphqlx", "/graphql/x", "/Graphql", "/rpc/x"} {
		h.want(h.call("GET "+path, cookie, sameOrign, "Sec-Fetch-Mode: cors"), 404, "not_found")
	}
	for path, row := range map[string][2]string{"/rpc": {"/v1/rpc/all", "/rpc"}, "/rpc?": {"/v1/rpc/all?a", "/rpc?a"}, "/graphql": {"/graphql/2", "/graphql/2"}} {
		h.api.Say(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Location", row[0]); w.WriteHeader(201) })
		if got := h.call("GET "+path, cookie, sameOrign).Header.Get("Location"); got != row[1] {
			t.Errorf("%s: Location %s came as %s, want %s", path, row[0], got, row[1])
		}
	}
}
