package pending_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"coatcheck/bff/pending"
)

var pages = pending.Pages{Origin: "https://shop.example.com", Origins: []string{"https://shop.example.com", "https://www.example.com:8443"}}

// TestReturnTo: pages of the frontend, written anew.
func TestReturnTo(t *testing.T) {
	for from, want := range map[string]string{
		"":                                  "https://shop.example.com/",
		"/":                                 "https://shop.example.com/",
		"/cart":                             "https://shop.example.com/cart",
		"/cart?a=b&c=d%26e":                 "https://shop.example.com/cart?a=b&c=d%26e",
		"/cart#top":                         "https://shop.example.com/cart#top",
		"/#/route/1?x=y":                    "https://shop.example.com/#/route/1?x=y",
		"/a b":                              "https://shop.example.com/a%20b",
		"/ä":                                "https://shop.example.com/%C3%A4",
		"/?q=ä":                             "https://shop.example.com/?q=%C3%A4",
		`/?q="><script>`:                    "https://shop.example.com/?q=%22%3E%3Cscript%3E",
		`/#"><img src=x>`:                   "https://shop.example.com/#%22%3E%3Cimg%20src=x%3E",
		"/?next=https://evil.example":       "https://shop.example.com/?next=https://evil.example",
		"/@evil.example":                    "https://shop.example.com/@evil.example",
		"/.evil.example":                    "https://shop.example.com/.evil.example",
		"/a//b":                             "https://shop.example.com/a//b",
		"/bffs":                             "https://shop.example.com/bffs",
		"https://shop.example.com":          "https://shop.example.com/",
		"https://shop.example.com/cart?a#b": "https://shop.example.com/cart?a#b",
		"https://www.example.com:8443/x":    "https://www.example.com:8443/x",
		"https://shop.example.com?x=1":      "https://shop.example.com/?x=1",
	} {
		if got, err := pages.Resolve(from); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", from, got, err, want)
		}
	}
	below := pages
	below.BasePath = "/blog"
	if got, err := below.Resolve(""); err != nil || got != "https://shop.example.com/blog/" {
		t.Error(got, err)
	}
	for _, bad := range []string{"/blog/bff/logout", "/bff/logout", "/blog/BFF/x"} {
		if got, err := below.Resolve(bad); err == nil {
			t.Errorf("%q: %q", bad, got)
		}
	}
}

// openRedirects are shapes that have led browsers elsewhere, or to a call of ours.
func openRedirects() []string {
	list := []string{
		"//evil.example", "///evil.example", "////evil.example", "https://evil.example", "http://shop.example.com/", "HTTPS://evil.example",
		"https:evil.example", "https:/evil.example", "https:///evil.example", "http:evil.example", "://evil.example", ":evil.example",
		"javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://shop.example.com/%0aalert(1)", "data:text/html,x", "vbscript:x", "blob:https://shop.example.com/x", "file:///etc/passwd", "about:blank", "ftp://shop.example.com/",
		`/\evil.example`, `\/evil.example`, `\\evil.example`, `/\/evil.example`, `\evil.example`, `https:\\evil.example`, `/a\b`, `/?a=\b`, `/#\b`,
		"/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", " /cart", "/\r\nSet-Cookie: a=b", "/\x00", "/\x7f", "/\u0085x", "/\u2028x", "\ufeff/x",
		"/%0d%0aSet-Cookie:a=b", "/%00", "/%5cevil.example", "/%255cevil.example", "/%09/evil.example",
		"https://shop.example.com@evil.example/", "https://evil.example@shop.example.com/", "https://shop.example.com:443/", "https://shop.example.com:pw@shop.example.com/", "https://user@shop.example.com/",
		"https://shop.example.com.evil.example/", "https://shop.example.comevil.example", "https://evilshop.example.com", "https://shop.example.com%2eevil.example/", "https://shop.example.com%00.evil.example/",
		`https://shop.example.com\@evil.example`, `https://evil.example\.shop.example.com`, "https://shop.example.com;evil.example", "https://shop.example.com,evil.example/",
		"https://SHOP.example.com/", "https://shop.example.com./", "https://shоp.example.com/", "https://shop。example.com/", "https://[::1]/", "https://0x7f.1/", "https://2130706433/",
		"//shop.example.com/", "//evil.example/..", "/..//evil.example", "/../evil", "/./x", "/.", "/..", "/a/../..//evil.example", "/%2e%2e//evil.example", "/%2e/x", "/a/%2E%2e/b", "/%252e%252e/x",
		"/bff", "/bff/", "/bff/logout", "/bff/login?return_to=/", "/bff/callback/id?code=x", "/%62ff/logout", "/%2562ff/logout", "/x/../bff/logout", "/x/%2e%2e/bff/logout", "/BFF/logout", "/bff%2flogout", "/a//../bff/x", "/%2fbff/logout",
		"https://shop.example.com/bff/logout", "https://shop.example.com//bff/logout", "https://shop.example.com/%62ff/x",
		"cart", "./cart", "../cart", "?a=b", "#a", "@evil.example", ".evil.example", "evil.example", "%2f%2fevil.example", "/%zz", "/%", "/\xff", "/?\xff",
		"/" + strings.Repeat("a", 1024), "https://shop.example.com/" + strings.Repeat("a", 1024),
	}
	return list
}

func TestOpenRedirects(t *testing.T) {
	for _, bad := range openRedirects() {
		if got, err := pages.Resolve(bad); !errors.Is(err, pending.ErrReturnTo) {
			t.Errorf("%q leads to %q", bad, got)
		}
	}
}

// FuzzReturnTo: whatever comes, a page of the frontend's comes out, or nothing; and what
// comes out comes out the same again.
func FuzzReturnTo(f *testing.F) {
	for _, s := range openRedirects() {
		f.Add(s)
	}
	f.Add("/cart?a=b#c")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := pages.Resolve(s)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme+"://"+u.Host != "https://shop.example.com" && u.Scheme+"://"+u.Host != "https://www.example.com:8443" {
			t.Fatalf("%q: %q, %v", s, got, err)
		}
		if strings.ContainsAny(got, "\\\"'<>` ") || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q: %q is not clean", s, got)
		}
		if strings.HasPrefix(strings.ToLower(u.Path), "/bff/") || strings.Contains(u.Path+"/", "/../") {
			t.Fatalf("%q: %q", s, got)
		}
		if again, err := pages.Resolve(got); len(got) <= 1024 && (err != nil || again != got) {
			t.Fatalf("%q: %q, then %q, %v", s, got, again, err)
		}
	})
}
