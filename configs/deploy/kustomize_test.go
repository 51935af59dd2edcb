package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// TestKustomize builds the folder that the base's comment describes: a changed
// configuration has another name, and the pods follow it.
func TestKustomize(t *testing.T) {
	base, err := os.ReadFile("kubernetes/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, m := range regexp.MustCompile(`(?m)^#   (\w+: .*)$`).FindAllStringSubmatch(string(base), -1) {
		own = append(own, strings.Replace(m[1], "../coatcheck/configs/deploy/kubernetes", "../base", 1))
	}
	if len(own) != 3 {
		t.Fatalf("the comment has %q", own)
	}
	manifests, err := os.ReadFile("kubernetes/coatcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	name := func(config string) string {
		dir := t.TempDir()
		for file, content := range map[string]string{"base/kustomization.yaml": string(base), "base/coatcheck.yaml": string(manifests),
			"own/kustomization.yaml": strings.Join(own, "\n") + "\n", "own/coatcheck.yaml": config, "own/coatcheck.env": "COATCHECK_KEY=k\nSITE=shop.example.com\n"} {
			file = filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "own"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := built.AsYaml()
		if err != nil {
			t.Fatal(err)
		}
		names := regexp.MustCompile(`configMap:\s+name: (coatcheck-\w+)`).FindStringSubmatch(string(text))
		if names == nil || strings.Count(string(text), names[1]) != 2 || !regexp.MustCompile(`secretRef:\s+name: coatcheck-\w+`).Match(text) {
			t.Fatalf("the pods do not follow what is generated:\n%s", text)
		}
		return names[1]
	}
	if first, second := name("listen: \":8080\"\n"), name("listen: \":8081\"\n"); first == second {
		t.Errorf("both are %s", first)
	}
}
