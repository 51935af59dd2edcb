package server_test

import (
	"bytes"
	"coatcheck/bff/pages"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const immutable = "public, max-age=31536000, immutable"

// lastChange has a part of a second, which Last-Modified cannot tell.
var lastChange = time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)

// application makes pages out of names and texts.
func application(texts map[string]string) settings {
	files := fstest.MapFS{"index.html": {Data: []byte("<!doctype html><html><head></head></html>"), ModTime: lastChange}}
	for name, text := range texts {
		files[name] = &fstest.MapFile{Data: []byte(text), ModTime: lastChange}
	}
	return settings{pages: map[string]*pages.Pages{"shop": {Files: files, CSP: "object-src 'none'"}}}
}

// TestPagesBelowBasePath: an application with a base path is at home below it only.
func TestPagesBelowBasePath(t *testing.T) {
	s := application(map[string]string{"r.txt": "FILE", "assets/a.js": "FILE"})
	s.edit = func(yaml string) string {
		return replaced(yaml, `    origins: ["https://shop.example.com"]`, `    origins: ["https://shop.example.com"]`+"\n    base_path: /shop")
	}
	h := open(t, s)
	for path, want := range map[string]int{
		"/shop": 200, "/shop/": 200, "/shop/orders/5": 200, "/shop/r.txt": 200, "/shop/assets/a.js": 200, "/shop/bff/session": 200,
		"/": 404, "/s": 404, "/sho": 404, "/shopping": 404, "/shop.txt": 404, "/abcdr.txt": 404, "/abcd/r.txt": 404, "/Shop/r.txt": 404, "/r.txt": 404, "/bff/session": 404, "/api/x": 404,
	} {
		for _, method := range []string{"GET", "HEAD"} {
			got := h.call(method+" "+path, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate")
			if got.StatusCode != want || want == 404 && strings.Contains(got.body, "FILE") {
				t.Errorf("%s %s: %d %q, want %d", method, path, got.StatusCode, got.body, want)
			}
		}
	}
	if logs := h.logs.String(); strings.Contains(logs, "panic") {
		t.Errorf("logs: %s", logs)
	}
}

// TestSessionInAnyPage: whatever bytes a page holds, the session stands in front of the
// end of its head, and not a byte of the page is lost.
func TestSessionInAnyPage(t *testing.T) {
	for name, page := range map[string]string{
		"plain": "<head></head><body>", "capitals": "<HEAD></HEAD><BODY>", "dotted I": "<head><title>İİİİ</title></head><body>",
		"capital sharp s": "<head><title>ẞẞẞ</title></head><body>", "Kelvin": "<head><title>\u212a\u212a</title></head><body>",
		"no UTF-8": "<head><title>\xff\xfe\x80</title></head><body>", "half a letter": "<head>\xc4</head><body>",
		"letters like ASCII": "<head><title></\u212aead> </hea\u0111></title></head><body>", "short end": "<head></head>", "no head": "<p>İ", "cut head": "<head></hea",
	} {
		t.Run(name, func(t *testing.T) {
			s := application(map[string]string{"index.html": page})
			h := open(t, s)
			got := h.call("GET /", h.signIn("ada@x.test"), "Sec-Fetch-Mode: navigate")
			block := regexp.MustCompile(`<script type="application/json" id="bff-session">[^<]*</script>`)
			at := block.FindStringIndex(got.body)
			if at == nil {
				t.Fatalf("no session in %q", got.body)
			}
			if rest := got.body[:at[0]] + got.body[at[1]:]; rest != page {
				t.Errorf("the page became %q, was %q", rest, page)
			}
			if behind := strings.ToUpper(got.body[at[1]:min(len(got.body), at[1]+7)]); strings.Contains(page, "body") || strings.Contains(page, "BODY") {
				if behind != "</HEAD>" {
					t.Errorf("behind the session: %q", behind)
				}
			}
		})
	}
}

// TestHashedNames: what a tool named by its content is kept forever, and nothing else.
func TestHashedNames(t *testing.T) {
	hashed := []string{
		"assets/index-Btg5LUre.js", "assets/index-CmiAP_3i.css", "assets/display-5FalHHeZ.woff2", "assets/index-UyLYN6lQ.css", "assets/index-BX3kq2Lh.js.map", "assets/app-BX-k_2Lh.js", // Vite
		"_app/immutable/entry/start.BX3kq2Lh.js", "_app/immutable/chunks/abcdefgh.js", "_nuxt/BX3kq2Lh.js", "_astro/index.BX3kq2Lh.css", // SvelteKit, Nuxt, Astro
		"chunk-5WXSPKQX.js", "main-5WXSPKQX.js", "media/logo-5W2SPKQX.png", "styles-5INURTSO.css", // esbuild, Angular
		"static/js/main.8f3e1c90.chunk.js", "static/js/main.8f3e1c90.js", "js/app.8f3e1c90.js", "6ce24c58023cc2f8fd88.png", "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg", "main.8f3e1c90b1a2c3d4.js", "static/js/index.8f3e1c90b1.js", // webpack
		"index.8f3e1c90.css", "workbox-8f3e1c90.js", // Parcel, Workbox
		"_next/static/chunks/main-0a1b2c3d4e5f6789.js", "_next/static/css/0a1b2c3d4e5f6789.css", "_next/static/media/e4af272ccee01ff0-s.p.woff2", "_next/static/chunks/0c3o1svijj_x-.js", // Next.js
		"assets/application-908e25f4bf641868d8683022a5b62f54aabb908e25f4bf641868d8683022a5b6.css", // Sprockets
	}
	plain := []string{
		"terms-2024-10-01.pdf", "terms-20241001.pdf", "terms-24-10-01.pdf", "terms-2024dec1.pdf", "terms-01feb2024a.pdf", "photo-20241001a1.jpg", "runtime-config-v2.json", "runtime-config-2.json", "config.production.json",
		"apple-touch-icon-180x180.png", "icon-512x512.png", "icon-16x16-2x.png", "favicon-96.png", "logo-MyWidget.svg", "logo-Chapter1.svg", "logo-Vue3Demo.svg", "notes-Ch1-Sec2.pdf", "scan-IMG_2024.jpg", "manual-VERSION2.pdf", "manual-TEMPLATE.pdf",
		"my-component.js", "my-settings.js", "polyfill-es2020v2.js", "jquery-3.7.1.min.js", "lib-onFooBar.js", "assets/lib-onFooBar.js", "manifest.webmanifest", "deadbeef.js", "cafebabe.png", "facade-decade.css", "report-12345678.pdf", "6f9619ff-8b86-d011-b42d-00c04fc964ff.png",
		"serviceworker.js", "sw.js", "bootstrap.bundle.min.js", "robots.txt", "BX3kq2Lh", "app.webmanifest", "next/static/readme.txt", "version-1.2.3-rc.1.js", "assets/notes-24-10-01.css", "assets/README.md",
	}
	texts := map[string]string{}
	for _, name := range append(hashed, plain...) {
		texts[name] = "text"
	}
	h := open(t, application(texts))
	check := func(names []string, want string) {
		for _, name := range names {
			if got := h.call("GET /" + name); got.StatusCode != 200 || got.body != "text" || got.Header.Get("Cache-Control") != want {
				t.Errorf("%s: %d %q, want %q", name, got.StatusCode, got.Header.Get("Cache-Control"), want)
			}
		}
	}
	check(hashed, immutable)
	check(plain, "no-cache")
}

// TestCodings: who takes what, by its weights; every form says that others differ.
func TestCodings(t *testing.T) {
	h := open(t, application(map[string]string{"a.js": "plain", "a.js.br": "brotli", "a.js.gz": "gzip!", "b.js": "plain", "b.js.gz": "gzip!"}))
	for _, row := range []struct{ file, accept, want string }{
		{"a.js", "br", "br"}, {"a.js", "BR", "br"}, {"a.js", "gzip, br", "br"}, {"a.js", "gzip, deflate, br, zstd", "br"}, {"a.js", "br;q=1.0", "br"}, {"a.js", "br ; q=0.001", "br"}, {"a.js", "br;Q=0.5", "br"},
		{"a.js", "br;q=0", ""}, {"a.js", "br;q=0.0", ""}, {"a.js", "br;q=0.00", ""}, {"a.js", "br;q=0.000", ""}, {"a.js", "br; q=0.", ""}, {"a.js", "br\t;\tq=0", ""},
		{"a.js", "br;q=x", ""}, {"a.js", "br;q=-1", ""}, {"a.js", "br;q=0.0000", ""}, {"a.js", "br;q=2", ""}, {"a.js", "br;level=3", ""}, {"a.js", "brr, xbr", ""},
		{"a.js", "br;q=0, gzip", "gzip"}, {"a.js", "br;q=0.000, gzip;q=0.2", "gzip"}, {"a.js", "br;q=0.5, gzip", "gzip"}, {"a.js", "br;q=0.5, gzip;q=0.5", "br"},
		{"a.js", "*", "br"}, {"a.js", "br;q=0, *", "gzip"}, {"a.js", "*;q=0", ""}, {"a.js", "identity", ""}, {"a.js", "identity, br;q=0.5", ""}, {"a.js", "identity;q=0.5, br", "br"}, {"a.js", "", ""},
		{"b.js", "br", ""}, {"b.js", "br, gzip;q=0.1", "gzip"},
	} {
		got := h.call("GET /"+row.file, "Accept-Encoding: "+row.accept)
		want := map[string]string{"": "plain", "br": "brotli", "gzip": "gzip!"}[row.want]
		if got.StatusCode != 200 || got.body != want || got.Header.Get("Content-Encoding") != row.want || got.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s, %q: %q %q", row.file, row.accept, got.body, got.Header)
		}
	}
	plain, zipped := h.call("GET /b.js").Header.Get("ETag"), h.call("GET /b.js", "Accept-Encoding: gzip").Header.Get("ETag")
	if plain == zipped {
		t.Errorf("two forms of one length have the same tag %s", plain)
	}
	if got := h.call("GET /a.js", "Accept-Encoding: br", "Range: bytes=90-"); got.StatusCode != 416 || got.Header.Get("Content-Encoding")+got.Header.Get("Cache-Control") != "" || got.Header.Get("Content-Range") != "bytes */6" || got.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("nothing of a part: %d %v", got.StatusCode, got.Header)
	}
	if got := h.call("GET /a.js", "Accept-Encoding: br", "If-None-Match: *"); got.StatusCode != 304 || got.Header.Get("Content-Encoding")+got.Header.Get("Content-Type") != "" || got.Header.Get("Vary") != "Accept-Encoding" || got.Header.Get("ETag") == "" {
		t.Errorf("not modified: %d %v", got.StatusCode, got.Header)
	}
}

// TestMediaTypes: they are the same on every machine, and what can run scripts by
// itself carries the policy of documents.
func TestMediaTypes(t *testing.T) {
	const text, csp = "; charset=utf-8", "object-src 'none'"
	rows := []struct{ name, kind, csp string }{
		{"a.js", "text/javascript" + text, ""}, {"a.mjs", "text/javascript" + text, ""}, {"a.css", "text/css" + text, ""}, {"a.wasm", "application/wasm", ""}, {"a.js.map", "application/json", ""}, {"a.json", "application/json", ""},
		{"a.webmanifest", "application/manifest+json", ""}, {"A.PNG", "image/png", ""}, {"a.ico", "image/vnd.microsoft.icon", ""}, {"a.avif", "image/avif", ""}, {"a.woff2", "font/woff2", ""}, {"a.pdf", "application/pdf", ""},
		{"a.html", "text/html" + text, csp}, {"a.svg", "image/svg+xml", csp}, {"a.xml", "text/xml" + text, csp}, {"a.xhtml", "application/xhtml+xml", csp}, {"a.rss", "application/rss+xml", csp},
		{"a.unknown", "application/octet-stream", ""}, {"png", "application/octet-stream", ""}, {"a.rb", "application/octet-stream", ""}, {"LICENSE", "application/octet-stream", ""},
	}
	texts := map[string]string{}
	for _, row := range rows {
		texts[row.name] = "text"
	}
	h := open(t, application(texts))
	for _, row := range rows {
		got := h.call("GET /" + row.name)
		if got.StatusCode != 200 || got.Header.Get("Content-Type") != row.kind || got.Header.Get("Content-Security-Policy") != row.csp || got.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", row.name, got.StatusCode, got.Header)
		}
	}
}

// Grammar of the fields that are compared (RFC 9110 §13.1.5, §14.1.1, §14.2). Outside
// of it net/http answers 416, or reads as far as it can; here the whole file comes.
var (
	rangeGrammar   = regexp.MustCompile(`(?i)^bytes=[ \t,]*([0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18})([ \t]*,[ \t,]*([0-9]{1,18}-[0-9]{0,18}|-[0-9]{1,18}))*[ \t,]*$`)
	ifRangeGrammar = regexp.MustCompile(`^((W/)?"[^" ]*"|[^"]*)$`)
	fromTo         = regexp.MustCompile(`([0-9]{1,18})-([0-9]{1,18})`)
	noBytes        = regexp.MustCompile(`(^|[=, \t])-0+($|[, \t])`)
)

// backwards tells whether one of the ranges ends before it begins, which is invalid
// (RFC 9110 §14.1.1).
func backwards(ranges string) bool {
	for _, m := range fromTo.FindAllStringSubmatch(ranges, -1) {
		from, _ := strconv.ParseInt(m[1], 10, 64)
		to, _ := strconv.ParseInt(m[2], 10, 64)
		if to < from {
			return true
		}
	}
	return false
}

// FuzzFiles puts net/http's own file server beside the pages: conditions, their order,
// ranges, HEAD. "E" and "T" in a field stand for the file's tag and time, "U" and "S"
// for a second later and earlier.
//
// The pages differ on purpose in four things, which the oracle is not asked: a range
// is defined for GET only (RFC 9110 §14.2), several parts come as the whole file, so
// does a range that cannot be read, and "-0" is nobody's part (416).
func FuzzFiles(f *testing.F) {
	const text = "0123456789"
	h := open(f, application(map[string]string{"a.txt": text, "empty.txt": ""}))
	for _, seed := range [][]string{
		{"", "", "", "", "", "bytes=2-4"}, {"", "", "", "", "", "bytes=-3"}, {"", "", "", "", "", "bytes=8-99"}, {"", "", "", "", "", "bytes=10-"}, {"", "", "", "", "", "bytes=0-1,3-4"}, {"", "", "", "", "", "bytes=0-1, 90-"},
		{"E", "", "", "", "", ""}, {"*", "", "", "", "", ""}, {`"x", W/E`, "", "", "", "", ""}, {`"x"`, "U", "", "", "", ""}, {"", "S", "", "", "", ""}, {"", "T", "", "", "", ""},
		{"", "", "E", "", "", ""}, {"", "", `W/E, "x"`, "", "", ""}, {"", "", `"x"`, "T", "", ""}, {"", "", "E", "S", "", ""}, {"", "", "", "T", "", ""}, {"", "", "", "S", "", "bytes=1-"}, {"", "", "", "yesterday", "", ""},
		{"", "", "", "", "E", "bytes=1-2"}, {"", "", "", "", "W/E", "bytes=1-2"}, {"", "", "", "", "T", "bytes=1-2"}, {"", "", "", "", "U", "bytes=1-2"}, {"", "", "", "", `"x"`, "bytes=1-2"}, {`"x"`, "", "E", "T", "E", "bytes=99-"},
	} {
		f.Add(false, false, seed[0], seed[1], seed[2], seed[3], seed[4], seed[5])
	}
	f.Add(true, false, "", "", "", "", "", "bytes=1-2")
	f.Add(false, false, "", "", "", "", "", "bYtes=2-0,0-0")
	f.Add(false, true, "", "", "", "", "", "bytes=0-")
	tags := map[string]string{"a.txt": h.call("GET /a.txt").Header.Get("ETag"), "empty.txt": h.call("GET /empty.txt").Header.Get("ETag")}
	f.Fuzz(func(t *testing.T, head, empty bool, ifMatch, ifUnmodified, ifNoneMatch, ifModified, ifRange, ranges string) {
		h.t = t
		name, content := "a.txt", text
		if empty {
			name, content = "empty.txt", ""
		}
		method := "GET"
		if head {
			method = "HEAD"
		}
		at := func(d time.Duration) string { return lastChange.Add(d).Format(http.TimeFormat) }
		fill := strings.NewReplacer("E", tags[name], "T", at(0), "U", at(time.Second), "S", at(-time.Second))
		r := httptest.NewRequest(method, "/"+name, nil)
		var lines []string
		for _, field := range [][2]string{{"If-Match", ifMatch}, {"If-Unmodified-Since", ifUnmodified}, {"If-None-Match", ifNoneMatch}, {"If-Modified-Since", ifModified}, {"If-Range", ifRange}, {"Range", ranges}} {
			if strings.ContainsFunc(field[1], func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Skip("the gate takes it for malformed, or it is no ASCII")
			}
			value := strings.TrimSpace(field[1])
			if field[0] != "Range" {
				value = strings.TrimSpace(fill.Replace(value))
			}
			if value != "" {
				lines = append(lines, field[0]+": "+value)
				r.Header.Set(field[0], value)
			}
		}
		if len(strings.Join(lines, "")) > 4000 {
			t.Skip("too long for the gate")
		}
		if noBytes.MatchString(r.Header.Get("Range")) {
			t.Skip("net/http sends a part of no bytes")
		}
		readable := rangeGrammar.MatchString(r.Header.Get("Range")) && !backwards(r.Header.Get("Range"))
		if head || empty || !readable || !ifRangeGrammar.MatchString(r.Header.Get("If-Range")) {
			r.Header.Del("Range")
		} else if _, list, ok := strings.Cut(r.Header.Get("Range"), "="); ok {
			r.Header.Set("Range", "bytes="+list) // the unit has no case (RFC 9110 §14.1); net/http thinks it has
		}
		want := httptest.NewRecorder()
		want.Header().Set("ETag", tags[name])
		http.ServeContent(want, r, name, lastChange, bytes.NewReader([]byte(content)))
		if strings.HasPrefix(want.Header().Get("Content-Type"), "multipart/") {
			r.Header.Del("Range")
			want = httptest.NewRecorder()
			want.Header().Set("ETag", tags[name])
			http.ServeContent(want, r, name, lastChange, bytes.NewReader([]byte(content)))
		}
		got := h.call(method+" /"+name, lines...)
		compareAnswers(t, lines, got, want)
	})
}

func compareAnswers(t *testing.T, lines []string, got answer, want *httptest.ResponseRecorder) {
	t.Helper()
	if got.StatusCode != want.Code {
		t.Fatalf("%q: %d, want %d", lines, got.StatusCode, want.Code)
	}
	names := []string{"Content-Range", "Last-Modified"}
	switch want.Code {
	case 200, 206:
		names = append(names, "ETag", "Accept-Ranges", "Content-Length", "Content-Type")
		if got.body != want.Body.String() {
			t.Errorf("%q: %q, want %q", lines, got.body, want.Body.String())
		}
	case 304:
		names = append(names, "ETag", "Content-Type", "Content-Encoding")
	case 412: // net/http says when it was changed, and of what kind it is
		names = nil
	}
	for _, name := range names {
		if got.Header.Get(name) != want.Header().Get(name) {
			t.Errorf("%q: %d, %s: %q, want %q", lines, want.Code, name, got.Header.Get(name), want.Header().Get(name))
		}
	}
}

// TestImagesThatCanBeBuiltAgain: their files all have one time, the beginning of Unix time or
// the second behind it. Then only the content tells a new release from the one before.
func TestImagesThatCanBeBuiltAgain(t *testing.T) {
	for _, second := range []int64{0, 1} {
		tags := map[string]bool{}
		for _, text := range []string{"<p>old</p>", "<p>new</p>"} { // of one size
			files := fstest.MapFS{"index.html": {Data: []byte(text), ModTime: time.Unix(second, 0)}}
			h := open(t, settings{pages: map[string]*pages.Pages{"shop": {Files: files}}})
			for tag := range tags {
				if got := h.call("GET /", "If-None-Match: "+tag); got.StatusCode != 200 || got.body != text {
					t.Errorf("second %d: the new release: %d %q", second, got.StatusCode, got.body)
				}
			}
			got := h.call("GET /")
			if got.Header.Get("Last-Modified") != "" {
				t.Errorf("second %d: Last-Modified %q", second, got.Header.Get("Last-Modified"))
			}
			tags[got.Header.Get("ETag")] = true
		}
	}
}
