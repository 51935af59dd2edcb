package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// devConfig is a configuration without store, key and listen address of its own.
const devConfig = `
listen: "localhost:PORT"
admin: {listen: "127.0.0.1:ADMIN"}
upstreams:
  api:
    url: API
    login: {request: {path: /login, body: {email: "{email}"}}, credential: {access_token: /t}, user: {at: /user}}
frontends:
  shop:
    origins: ["http://localhost:PORT"]
    spa: {proxy: "http://127.0.0.1:1"}
    login: {upstream: api, fields: [email]}
    routes: [{path: /ROUTE/, upstream: api}]
`

// TestDev: store and key are made up, the addresses are said, a changed file is taken
// without a signal, people stay signed in over it, and a faulty one changes nothing.
func TestDev(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			_, _ = io.WriteString(w, `{"t":"token","user":{"id":"7"}}`)
			return
		}
		_, _ = io.WriteString(w, r.Header.Get("Authorization"))
	}))
	defer api.Close()
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	port, admin := freeport.Text(t), freeport.Text(t)
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	write := func(route, more string) {
		text := strings.NewReplacer("PORT", port, "ADMIN", admin, "API", api.URL, "ROUTE", route).Replace(devConfig) + more
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old", "")
	p := rig.Start(t, nil, binary, "dev", "--config", file)
	page := "http://localhost:" + port
	rig.Until(t, "an answer", func() bool { return rig.Status(page+"/bff/session") == 200 })
	rig.Until(t, "the addresses", func() bool { return strings.Contains(p.Printed.String(), "Ctrl-C") })
	for _, want := range []string{page + "/  pages of the development server at http://127.0.0.1:1", "made up for this run: sessions.store, sessions.keys"} {
		if said := p.Printed.String(); !strings.Contains(said, want) {
			t.Errorf("no %q in %s", want, said)
		}
	}
	cookie := devSignIn(t, page)
	call := func(path string) string {
		request, _ := http.NewRequest(http.MethodGet, page+path, nil)
		request.Header.Set("Cookie", cookie)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return string(body)
	}
	if got := call("/old/x"); got != "Bearer token" {
		t.Errorf("before: %s", got)
	}
	write("new", "")
	rig.Until(t, "the new route", func() bool { return call("/new/x") == "Bearer token" })
	write("newest", "\nsurprise: 1\n")
	rig.Until(t, "a refusal", func() bool { return strings.Contains(p.Log.String(), "surprise: unknown key") })
	if got := call("/new/x"); got != "Bearer token" {
		t.Errorf("a faulty file changed something: %s", got)
	}
}

// devSignIn signs in and returns the cookie.
func devSignIn(t *testing.T, page string) string {
	t.Helper()
	request, _ := http.NewRequest(http.MethodPost, page+"/bff/login", strings.NewReader(`{"email":"a@x.test"}`))
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
	return answer.Cookies()[0].String()
}

// TestDevStaysHome: what another machine could reach is refused, with the cure.
func TestDevStaysHome(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{`"localhost:PORT"`, `":8080"`, `listen dev serves this machine only hint: localhost:8080, or`},
		{`"localhost:PORT"`, `"0.0.0.0:8081"`, `listen dev serves this machine only hint: localhost:8081, or`},
		{`"127.0.0.1:ADMIN"`, `":9091"`, `admin.listen dev serves this machine only hint: 127.0.0.1:9091, or`},
		{`"http://localhost:PORT"`, `"https://shop.example.com"`, `frontends no frontend has an origin on this machine`},
		{`url: API`, `url: "${NOWHERE}"`, `the variable NOWHERE is not set`},
	} {
		text := strings.NewReplacer("PORT", "8080", "ADMIN", "9090", "API", "http://127.0.0.1:1", "ROUTE", "api").Replace(strings.Replace(devConfig, c.from, c.to, 1))
		file := filepath.Join(t.TempDir(), "coatcheck.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, said := runCommand(nil, "dev", "--config", file)
		if said = strings.Join(strings.Fields(said), " "); code != exitRefused || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit %d, no %q in %s", c.to, code, c.want, said)
		}
	}
}

// TestDevSideBySide: two files that say neither where to listen nor where the admin
// listener is are served side by side, each at the port of its origin.
func TestDevSideBySide(t *testing.T) {
	binary, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	health := regexp.MustCompile(`health +(http://127\.0\.0\.1:[1-9]\d*)/readyz`)
	var addresses []string
	for range 2 {
		port, file := freeport.Text(t), filepath.Join(t.TempDir(), "coatcheck.yaml")
		text := strings.NewReplacer("PORT", port, "API", "http://127.0.0.1:1", "ROUTE", "api").Replace(devConfig)
		text = regexp.MustCompile(`(?m)^(listen|admin):.*\n`).ReplaceAllString(text, "")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := rig.Start(t, nil, binary, "dev", "--config", file)
		rig.Until(t, "the address of health", func() bool { return health.MatchString(p.Printed.String()) })
		at := health.FindStringSubmatch(p.Printed.String())[1]
		addresses = append(addresses, at)
		if rig.Status("http://localhost:"+port+"/bff/session") != 200 || rig.Status(at+"/readyz") != 200 {
			t.Errorf("not served at port %s and %s", port, at)
		}
	}
	if addresses[0] == addresses[1] {
		t.Error("both have one admin listener", addresses)
	}
}
