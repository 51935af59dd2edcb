package web_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"coatcheck/web"
)

// TestDemoPagesKeepTheirPolicy: what the demo's Content-Security-Policy would
// refuse is not in its pages, and no text from outside is read as markup.
func TestDemoPagesKeepTheirPolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:|(src|href)="?https?:`),
		".js":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser`),
		".css":  regexp.MustCompile(`@import|url\(`),
	}
	seen := 0
	err := fs.WalkDir(web.Demo(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		for suffix, pattern := range forbidden {
			if !strings.HasSuffix(name, suffix) {
				continue
			}
			seen++
			text, err := fs.ReadFile(web.Demo(), name)
			if err != nil {
				return err
			}
			if found := pattern.Find(text); found != nil {
				t.Errorf("%s has %q", name, found)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 4 {
		t.Errorf("only %d files looked at", seen)
	}
}

// TestDemoLoadsWhatIsThere: every file that a page or module asks for is embedded.
func TestDemoLoadsWhatIsThere(t *testing.T) {
	local := regexp.MustCompile(`(?:src=|href=|from )"/([a-z.-]+\.(?:js|css|svg))"`)
	found := 0
	for _, name := range []string{"index.html", "demo.js", "calls.js"} {
		text, err := fs.ReadFile(web.Demo(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range local.FindAllSubmatch(text, -1) {
			found++
			if _, err := fs.Stat(web.Demo(), string(m[1])); err != nil {
				t.Errorf("%s asks for /%s: %v", name, m[1], err)
			}
		}
	}
	if found < 6 {
		t.Errorf("only %d references", found)
	}
}

func TestClientIsTheModule(t *testing.T) {
	if !strings.Contains(string(web.Client()), "export function createBff") {
		t.Error("the embedded client is something else")
	}
}
