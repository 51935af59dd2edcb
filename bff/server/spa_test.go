package server_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"coatcheck/bff/rig"
)

// files lays an application out in a folder, with something beside it that must not
// be reached.
func files(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "dist")
	for name, text := range map[string]string{
		"dist/index.html": "<!doctype html><html><head><title>app</title></head><body></body></html>", "dist/assets/app-BX3kq2Lh.js": "0123456789", "dist/assets/app-BX3kq2Lh.js.br": "brotli", "dist/assets/app-BX3kq2Lh.js.gz": "gzip",
		"dist/my-component.js": "plain", "dist/with space.txt": "space", "dist/.env": "SECRET", "dist/.git/config": "SECRET", "secret.txt": "SECRET",
	} {
		name = filepath.Join(top, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(top, "secret.txt"), filepath.Join(dir, "link.txt")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func withSPA(spa string) settings {
	return settings{edit: func(s string) string {
		return replaced(s, `    origins: ["https://shop.example.com"]`, `    origins: ["https://shop.example.com"]`+"\n    spa: "+spa)
	}}
}

func TestFiles(t *testing.T) {
	dir := files(t)
	h := open(t, withSPA("{dir: "+dir+"}"))
	const page, script = "Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: no-cors"
	crossSite := "Sec-Fetch-Site: cross-site"
	immutable := "public, max-age=31536000, immutable"
	rows := []struct {
		request string
		headers []string
		status  int
		body    string
		want    map[string]string
	}{
		{"GET /", []string{page, crossSite}, 200, "<!doctype", map[string]string{"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-cache", "Content-Security-Policy": "base-uri 'self'; object-src 'none'; frame-ancestors 'self'", "Set-Cookie": ""}},
		{"GET /orders/5", []string{page}, 200, "<!doctype", nil},
		{"GET /orders/5.5", []string{page}, 200, "<!doctype", nil},
		{"GET /assets/app-BX3kq2Lh.js", []string{script}, 200, "0123456789", map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": immutable, "Content-Encoding": ""}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Accept-Encoding: gzip, br"}, 200, "brotli", map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Content-Encoding": "br", "Vary": "Accept-Encoding"}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Accept-Encoding: gzip, br;q=0"}, 200, "gzip", map[string]string{"Content-Encoding": "gzip"}},
		{"GET /my-component.js", nil, 200, "plain", map[string]string{"Cache-Control": "no-cache"}},
		{"GET /with%20space.txt", nil, 200, "space", nil},
		{"HEAD /my-component.js", nil, 200, "", map[string]string{"Content-Length": "5"}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=2-4"}, 206, "234", map[string]string{"Content-Range": "bytes 2-4/10"}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=-3"}, 206, "789", map[string]string{"Content-Range": "bytes 7-9/10"}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=8-99"}, 206, "89", nil},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=10-"}, 416, "", map[string]string{"Content-Range": "bytes */10"}},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=0-1,3-4"}, 200, "0123456789", nil},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=x"}, 200, "0123456789", nil},
		{"GET /assets/app-BX3kq2Lh.js", []string{"Range: bytes=0-1", `If-Range: "other"`}, 200, "0123456789", nil},
		{"GET /my-component.js", []string{"If-Modified-Since: " + time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}, 304, "", nil},
		{"GET /assets/missing.js", []string{script}, 404, "", nil},
		{"GET /my-component.js/more.js", []string{script}, 404, "", nil},
		{"GET /" + strings.Repeat("a", 300) + ".js", []string{script}, 404, "", nil},
		{"GET /.env", []string{page}, 404, "", nil},
		{"GET /.git/config", nil, 404, "", nil},
		{"GET /link.txt", nil, 404, "", nil},
		{"GET /..%5csecret.txt", nil, 400, "", nil},
		{"GET /%2e%2e/secret.txt", nil, 400, "", nil},
		{"GET /assets", []string{script}, 404, "", nil}, {"GET /assets", []string{page}, 200, "<!doctype", nil},
		{"GET /my-component.js/", []string{script}, 404, "", nil},
		{"GET /with%20space.txt/", nil, 404, "", nil},
		{"GET /my-component.js/", []string{page}, 200, "<!doctype", nil},
		{"GET /assets/", []string{page}, 200, "<!doctype", nil},
		{"POST /", []string{shop, xcsrf}, 405, "", map[string]string{"Allow": "GET, HEAD"}},
		{"GET /bff/nothing", []string{page}, 403, "", nil},
		{"GET /api/x", []string{page, sameOrign}, 401, "", nil},
	}
	for _, row := range rows {
		if row.request == "GET /bff/nothing" {
			row.status = 404
		}
		got := h.call(row.request, row.headers...)
		if got.StatusCode != row.status || !strings.HasPrefix(got.body, row.body) || strings.Contains(got.body, "SECRET") {
			t.Errorf("%s %q: %d %.40q", row.request, row.headers, got.StatusCode, got.body)
		}
		for name, want := range row.want {
			if got.Header.Get(name) != want {
				t.Errorf("%s %q: %s: %q, want %q", row.request, row.headers, name, got.Header.Get(name), want)
			}
		}
	}
	first := h.call("GET /my-component.js")
	if got := h.call("GET /my-component.js", "If-None-Match: "+first.Header.Get("ETag")); got.StatusCode != 304 || got.body != "" {
		t.Errorf("the same again: %d", got.StatusCode)
	}
}

// TestClientIsAScript: the one thing of Coatcheck's own that a page loads as a script,
// compressed where the browser takes that.
func TestClientIsAScript(t *testing.T) {
	h := open(t, settings{})
	const path = "GET /bff/client.js"
	plain := h.call(path, sameOrign, "Sec-Fetch-Dest: script")
	zipped := h.call(path, sameOrign, "Sec-Fetch-Dest: script", "Accept-Encoding: gzip, deflate, br, zstd")
	tag := func(a answer) string { return "If-None-Match: " + a.Header.Get("ETag") }
	for name, got := range map[string]answer{"plain": plain, "zipped": zipped} {
		if got.StatusCode != 200 || got.Header.Get("Content-Type") != "text/javascript; charset=utf-8" || got.Header.Get("Cache-Control") != "max-age=3600" ||
			got.Header.Get("ETag") == "" || got.Header.Get("Vary") != "Accept-Encoding" || got.ContentLength != int64(len(got.body)) {
			t.Errorf("%s: %d %v", name, got.StatusCode, got.Header)
		}
	}
	z, err := gzip.NewReader(strings.NewReader(zipped.body))
	if err != nil || zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("zipped: %v %v", zipped.Header, err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != plain.body || plain.body != clientMark {
		t.Errorf("plain %q, unzipped %q: %v", plain.body, text, err)
	}
	if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
		t.Errorf("plain: %v, zipped: %v", plain.Header, zipped.Header)
	}
	for _, row := range []struct {
		name, encoding, tag string
		want                int
	}{
		{"plain again", "", tag(plain), 304},
		{"zipped again", "Accept-Encoding: gzip", tag(zipped), 304},
		{"plain, with the other's tag", "Accept-Encoding: gzip;q=0", tag(zipped), 200},
		{"zipped, with the other's tag", "Accept-Encoding: gzip", tag(plain), 200},
	} {
		got := h.call(path, sameOrign, row.encoding, row.tag)
		if got.StatusCode != row.want || row.want == 304 && (got.body != "" || got.Header.Get("Content-Encoding") != "") {
			t.Errorf("%s: %d %v %q", row.name, got.StatusCode, got.Header, got.body)
		}
	}
	head := h.call("HEAD /bff/client.js", sameOrign, "Accept-Encoding: gzip")
	if head.StatusCode != 200 || head.body != "" || head.Header.Get("ETag") != zipped.Header.Get("ETag") || head.ContentLength != int64(len(zipped.body)) {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	if shared := h.call(path, apiHost, desk, sameSite, "Accept-Encoding: gzip"); shared.Header.Get("Vary") != "Accept-Encoding, Origin" {
		t.Errorf("on a shared host: %v", shared.Header)
	}
}

// TestSessionInline: the page holds the session document where the request brought a
// live session, and is then kept nowhere.
func TestSessionInline(t *testing.T) {
	h := open(t, withSPA("{dir: "+files(t)+"}"))
	cookie := h.signIn("</script><b>@x.test")
	got := h.call("GET /orders", cookie, "Sec-Fetch-Mode: navigate")
	begin := `<script type="application/json" id="bff-session">{"authenticated":true,`
	if !strings.Contains(got.body, begin) || !strings.Contains(got.body, "</script></head>") || strings.Contains(got.body, "<b>") || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("page: %v %s", got.Header, got.body)
	}
	if strings.Contains(got.body, strings.TrimPrefix(cookie, "Cookie: __Host-Http-shop=")) || strings.Contains(got.body, rig.TokenMark) || strings.Contains(got.body, "hidden") {
		t.Errorf("the page holds what it must not: %s", got.body)
	}
	for _, dead := range []string{"Cookie: __Host-Http-shop=" + strings.Repeat("A", 43), "Cookie: __Host-Http-shop=x", ""} {
		if got := h.call("GET /orders", dead, "Sec-Fetch-Mode: navigate"); strings.Contains(got.body, "bff-session") || got.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%q: %s", dead, got.body)
		}
	}
}

// TestDevServer: everything that is not Coatcheck's goes to the development server,
// hot reload's WebSocket too, and no ticket or token with it.
func TestDevServer(t *testing.T) {
	var last http.Header
	dev := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = r.Header.Clone()
		if r.Header.Get("Upgrade") != "" {
			c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, Subprotocols: []string{"vite-hmr"}})
			if err != nil {
				return
			}
			_ = c.Write(r.Context(), websocket.MessageText, []byte("reload"))
			_, _, _ = c.Read(r.Context())
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "dev "+r.URL.Path)
	}))
	defer dev.Close()
	h := open(t, withSPA(`{proxy: "`+dev.URL+`"}`))
	cookie := h.signIn("ada@x.test")
	for _, path := range []string{"/", "/@vite/client", "/src/main.ts", "/deep/link"} {
		got := h.call("GET "+path, cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
		if got.StatusCode != 200 || got.body != "dev "+path || got.Header.Get("Content-Security-Policy") != "" || last.Get("Cookie")+last.Get("Authorization") != "" {
			t.Errorf("%s: %d %q %v", path, got.StatusCode, got.body, last)
		}
	}
	h.want(h.call("GET /bff/nothing", cookie), 404, "not_found")
	h.want(h.call("GET /api/x", cookie, sameOrign), 200, "")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dial := func(origin string) (*websocket.Conn, error) {
		c, _, err := websocket.Dial(ctx, "ws://"+h.address+"/?token=x", &websocket.DialOptions{Host: "shop.example.com", HTTPHeader: http.Header{"Origin": {origin}}, Subprotocols: []string{"vite-hmr"}})
		return c, err
	}
	c, err := dial("https://shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, b, err := c.Read(ctx); err != nil || string(b) != "reload" {
		t.Errorf("hot reload: %q, %v", b, err)
	}
	if _, err := dial("https://evil.example.com"); err == nil {
		t.Error("another origin's page was let in")
	}
}
