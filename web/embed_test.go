package web_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"regexp"
	"testing"

	"coatcheck/web"
)

// built are the embedded pages by name.
func built() map[string]fs.FS { return map[string]fs.FS{"pages": web.Demo(), "evil": web.Evil()} }

// files reads all embedded files of one of them.
func files(t *testing.T, pages fs.FS) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := fs.WalkDir(pages, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(pages, name)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestDemoPagesKeepTheirPolicy: what the demo's Content-Security-Policy would
// refuse is not in its pages, and no text from outside is read as markup.
func TestDemoPagesKeepTheirPolicy(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		".html": regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script>|javascript:|(src|href)="?https?:`),
		".js":   regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser`),
		".css":  regexp.MustCompile(`@import|url\(['"]?(data|https?):`),
	}
	for page, pages := range built() {
		seen := 0
		for name, text := range files(t, pages) {
			if pattern := forbidden[path.Ext(name)]; pattern != nil {
				seen++
				if found := pattern.FindString(text); found != "" {
					t.Errorf("%s/%s has %q", page, name, found)
				}
			}
		}
		if seen < 3 {
			t.Errorf("%s: only %d files looked at", page, seen)
		}
	}
}

// TestDemoLoadsWhatIsThere: every file that a page or a style sheet asks for is
// embedded, and no file is there for nobody.
func TestDemoLoadsWhatIsThere(t *testing.T) {
	local := regexp.MustCompile(`(?:src=|href=|url\()["']?/assets/([\w.-]+)`)
	for page, pages := range built() {
		there, asked := files(t, pages), map[string]bool{"index.html": true}
		for name, text := range there {
			for _, m := range local.FindAllStringSubmatch(text, -1) {
				asked["assets/"+m[1]] = true
				if _, ok := there["assets/"+m[1]]; !ok {
					t.Errorf("%s/%s asks for %s", page, name, m[1])
				}
			}
		}
		for name := range there {
			if !asked[name] {
				t.Errorf("nobody asks for %s/%s", page, name)
			}
		}
	}
}

// TestDemoIsSmall: what one page weighs, as a reverse proxy that compresses would send it.
func TestDemoIsSmall(t *testing.T) {
	const most = 40 << 10 // bytes
	for page, pages := range built() {
		sum := 0
		for name, text := range files(t, pages) {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write([]byte(text))
			if err := z.Close(); err != nil {
				t.Fatal(name, err)
			}
			sum += b.Len()
		}
		if sum > most || sum < 1000 {
			t.Errorf("%s weighs %d bytes, at most %d", page, sum, most)
		}
	}
}

// TestClientIsTheSmallModule: what a Coatcheck sends of it to browsers that take gzip.
func TestClientIsTheSmallModule(t *testing.T) {
	if !regexp.MustCompile(`export\{[^}]*\bcreateBff\b`).Match(web.Client()) {
		t.Error("the embedded client is something else")
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write(web.Client())
	if err := z.Close(); err != nil || b.Len() > 2750 {
		t.Errorf("%d bytes, at most 2750: %v", b.Len(), err)
	}
}
