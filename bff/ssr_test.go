package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// TestServerRendering runs the recipe of the page on rendering servers: a Node server
// that forwards the browser's cookie gets the person's answer, and without one nobody's.
func TestServerRendering(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node is not in PATH; `make test` installs it")
	}
	page, err := os.ReadFile("../docs/server-rendering.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, ok := strings.Cut(string(page), "<!-- test:server forward.mjs -->\n```js\n")
	recipe, _, closed := strings.Cut(recipe, "\n```")
	if !ok || !closed {
		t.Fatal("the page has no recipe")
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_, _ = io.WriteString(w, `{"t":"token","user":{"id":"7"}}`)
			return
		}
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	defer api.Close()
	dir, port := t.TempDir(), freeport.Text(t)
	text := strings.NewReplacer("PORT", port, "ADMIN", freeport.Text(t), "API", api.URL, "ROUTE", "api", "{proxy: \"http://127.0.0.1:1\"}", "{dir: .}").
		Replace("trusted_proxies: [127.0.0.1/32]" + devConfig)
	text = strings.ReplaceAll(text, `"http://localhost:`+port+`"`, `"http://shop.localhost:`+port+`"`)
	files := map[string]string{"coatcheck.yaml": text, "forward.mjs": recipe, "page.mjs": `import { forward, session } from "./forward.mjs";
const request = { headers: new Headers({ host: "shop.localhost:` + port + `", cookie: process.argv[2] ?? "" }) };
console.log((await session(request)).authenticated);
console.log(await (await forward(request, "/api/x")).text());
console.log(await (await forward(request, "/api/x", { method: "POST" })).text());
`}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	rig.Start(t, nil, binary, "dev", "--config", filepath.Join(dir, "coatcheck.yaml"))
	at := "http://127.0.0.1:" + port
	rig.Until(t, "an answer", func() bool { return rig.Status(at+"/bff/session") == 421 })
	render := func(cookie string) string {
		node := exec.Command("node", "page.mjs", cookie)
		node.Dir, node.Env = dir, append(os.Environ(), "COATCHECK_INTERNAL="+at)
		out, err := node.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	if got := render(ssrCookie(t, at, "shop.localhost:"+port)); got != "true\nGET /api/x Bearer token\nPOST /api/x Bearer token\n" {
		t.Errorf("signed in: %s", got)
	}
	if got := render(""); !strings.HasPrefix(got, "false\n") || strings.Contains(got, "token") || strings.Count(got, "not_authenticated") != 2 {
		t.Errorf("nobody: %s", got)
	}
}

// ssrCookie signs in at a host and returns the cookie as a browser sends it.
func ssrCookie(t *testing.T, at, host string) string {
	t.Helper()
	request, _ := http.NewRequest(http.MethodPost, at+"/bff/login", strings.NewReader(`{"email":"a@x.test"}`))
	request.Host = host
	request.Header.Set("X-CSRF", "1")
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if len(answer.Cookies()) != 1 {
		t.Fatal(answer.Status)
	}
	return answer.Cookies()[0].Name + "=" + answer.Cookies()[0].Value
}
