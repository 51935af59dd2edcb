package routing_test

import (
	"net/url"
	"path"
	"strings"
	"testing"

	"coatcheck/bff/routing"
)

func TestPaths(t *testing.T) {
	good := []string{"/", "/a", "/a/", "/a//b", "/a?b=../..", "/a%20b", "/a%252e%252e/b", "/.well-known/x", "/a/.b", "/a/...", "/a..b/..c", "/a;b=c/d", "/%41", "/a?%zz", "/a?\\", "/a%3Bb", "/%c3%a9", "/%c0", "/%c0/%ae", "/%c0a", "/%e9", "/%e0", "/%e0%80", "/%e0%a4%85", "/%e2%80%a6", "/%f0%9f%98%80", "/%f0%80", "/%f0%80%80", "/%c2%ae", "/*", "/@:~!$&'()+,="}
	for _, p := range good {
		if got, ok := routing.ParseTarget([]byte(p)); !ok || string(got.Path)+string(got.Query) != p || got.EncodedSlash {
			t.Errorf("%q refused, or changed to %q", p, string(got.Path)+string(got.Query))
		}
	}
	bad := []string{"", "*", "a", "//", "//evil/x", "http://evil/x", "evil:443", "/a/../b", "/..", "/.", "/./a", "/a/.", "/%2e%2e/a", "/%2E/a", "/.%2e/a", "/%2e./a",
		"/..;/a", "/..;x=y/a", "/.;/a", "/%2e%2e;x/a", "/..%3b/a", "/a\\b", "/..%5ca", "/a%5c..%5Cb", "/a%5c.", "/a%00b", "/a%1fb", "/a%7fb", "/a%0d%0ab", "/a%", "/a%2", "/a%zz", "/a%2g", "/a#b", "/a?b#c",
		"/a\rb", "/\xc3\xa9", "/a?\x00", "/%c0%ae%c0%ae/a", "/a/%C0%AE", "/a%c0%afb", "/a%c1%9cb", "/%c1%a1", "/a%e0%80%aeb", "/a%e0%81%9cb", "/a%f0%80%80%af", "/a%c0%80",
		"/a/..%2fb", "/a%2f..%2fb", "/a%2f../b", "/a%2f.%2fb"}
	for _, p := range bad {
		if _, ok := routing.ParseTarget([]byte(p)); ok {
			t.Errorf("%q passed", p)
		}
	}
	for _, p := range []string{"/a%5cb", "/CORP%5Cjdoe", "/a%2fb", "/a%2Fb", "/%2f%2f"} {
		if got, ok := routing.ParseTarget([]byte(p)); !ok || !got.EncodedSlash {
			t.Errorf("%q: %v %v", p, got.EncodedSlash, ok)
		}
	}
}

// FuzzPath: what passes means the same to a program that decodes it once and cleans
// it as to one that does neither.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"/a/b?c", "/%2e%2e/a", "/..;/a", "//a", "/a%252e", "/a%2fb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := routing.ParseTarget([]byte(raw))
		if !ok {
			return
		}
		decoded, err := url.PathUnescape(string(got.Path))
		if err != nil {
			t.Fatalf("%q does not decode: %v", raw, err)
		}
		if got.EncodedSlash { // a backslash is a separator then
			decoded = strings.ReplaceAll(decoded, "\\", "/")
		}
		if strings.ContainsAny(decoded, "\\\x00\r\n\x7f") || strings.HasPrefix(string(got.Path), "//") {
			t.Fatalf("%q passed", raw)
		}
		for segment := range strings.SplitSeq(decoded, "/") {
			name, _, _ := strings.Cut(segment, ";")
			if name == "." || name == ".." {
				t.Fatalf("%q holds a dot segment", raw)
			}
		}
		if clean := path.Clean(decoded); !got.EncodedSlash && !strings.Contains(decoded, "//") && clean != "/" && clean != strings.TrimSuffix(decoded, "/") {
			t.Fatalf("%q: cleaned %q, decoded %q", raw, clean, decoded)
		}
	})
}
