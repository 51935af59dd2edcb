package rule_test

import (
	"strings"
	"testing"

	"coatcheck/configs/rule"
)

// TestOriginPattern: a star is one whole label under a domain that somebody registered.
func TestOriginPattern(t *testing.T) {
	p, c := rule.OriginPattern("https://*.preview.example.com:8443")
	if c.Is() {
		t.Fatal(c)
	}
	for origin, want := range map[string]bool{
		"https://a.preview.example.com:8443": true, "https://feature-12_x.preview.example.com:8443": true, "https://xn--mnchen-3ya.preview.example.com:8443": true,
		"https://a.b.preview.example.com:8443": false, "https://preview.example.com:8443": false, "https://.preview.example.com:8443": false, "https://-a.preview.example.com:8443": false,
		"https://a.preview.example.com": false, "http://a.preview.example.com:8443": false, "https://a.preview.example.com:84430": false, "https://A.preview.example.com:8443": false,
		"https://apreview.example.com:8443": false, "https://a.preview.example.com.evil.test:8443": false, "https://evil.test#.preview.example.com:8443": false, "https://evil.test/.preview.example.com:8443": false,
		"https://u@a.preview.example.com:8443": false, "https://*.preview.example.com:8443": false, "https://" + strings.Repeat("a", 64) + ".preview.example.com:8443": false, "null": false, "": false,
	} {
		if p.HoldsOrigin([]byte(origin)) != want {
			t.Errorf("%q: want %v", origin, want)
		}
	}
	for _, s := range []string{"https://*.preview.localhost", "http://*.preview.localhost:8080", "https://*.a.github.io", "https://*.example.co.uk"} {
		if _, c := rule.OriginPattern(s); c.Is() {
			t.Errorf("%s: %v", s, c)
		}
	}
	for _, s := range []string{"https://*.com", "https://*.co.uk", "https://*.github.io", "https://*.localhost", "https://*.10.0.0.1", "https://*.[::1]", "https://*.", "https://*.*.example.com"} {
		if _, c := rule.OriginPattern(s); !c.Is() {
			t.Errorf("%s is a pattern", s)
		}
	}
}

// FuzzOriginPattern: what a pattern holds is an origin that could be listed, one label in
// front of the base.
func FuzzOriginPattern(f *testing.F) {
	p, _ := rule.OriginPattern("https://*.preview.example.com")
	for _, seed := range []string{"https://a.preview.example.com", "https://a.b.preview.example.com", "https://@.preview.example.com", "https://1.preview.example.com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, origin string) {
		if !p.HoldsOrigin([]byte(origin)) {
			return
		}
		label, ok := strings.CutSuffix(strings.TrimPrefix(origin, "https://"), ".preview.example.com")
		if c := rule.Origin(origin); c.Is() || !ok || strings.ContainsAny(label, "./:@") {
			t.Errorf("%q: %v", origin, c)
		}
	})
}
