package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coatcheck/configs"
	"coatcheck/configs/check"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
)

// FuzzParse: whatever stands in a file, there is an answer: a configuration that
// other rooms can rely on, or faults with places and without secrets.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"*.yaml", "apis/*.yaml", "callers/*.yaml", "testdata/bad/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			content, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(content)
		}
	}
	f.Add([]byte(small("admin: {token: '${MARK}'}\nlog: {level: '${MARK}'}")))
	f.Add([]byte(small("") + "\n    routes: [!x 1, 5, null]\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		const mark = "m4rk3d" // what no seed holds
		if strings.Contains(string(content), mark) {
			return
		}
		getenv := func(name string) (string, bool) {
			if name == "MARK" {
				return mark, true
			}
			return environment(name)
		}
		c, faults := read.Text("fuzz/coatcheck.yaml", content, getenv, nil)
		if (c == nil) != configs.Refused(faults) {
			t.Fatalf("configuration %v with faults %v", c != nil, faults)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.Column < 1 || fault.Message == "" || strings.Contains(fault.String(), mark) {
				t.Fatalf("fault %+v", fault)
			}
		}
		if c != nil {
			sound(t, c)
		}
	})
}

// sound holds an accepted configuration against what other rooms take for granted.
func sound(t *testing.T, c *configs.Config) {
	t.Helper()
	for name, f := range c.Frontends {
		if f.IsDoor() {
			soundDoor(t, name, f)
			continue
		}
		if len(f.Hosts()) == 0 || f.Hosts()[0] == "" || c.Upstreams[f.Login.Upstream] == nil || !strings.HasPrefix(f.Cookie.Name, "__Host-") {
			t.Fatalf("frontend %s: %+v", name, f)
		}
		form, providers := len(f.Login.Fields) > 0, len(f.Login.Provider) > 0
		if !form && !providers || form && c.Upstreams[f.Login.Upstream].Login == nil {
			t.Fatalf("frontend %s: nobody could sign in: %+v", name, f)
		}
		for _, p := range f.Login.Provider {
			if c.Providers[p] == nil {
				t.Fatalf("frontend %s: no provider %s", name, p)
			}
		}
		for _, r := range f.Routes {
			if r == nil || r.SendToken == nil || c.Upstreams[r.Upstream] == nil || !strings.HasPrefix(r.Path, "/") || r.HeaderTimeout <= 0 {
				t.Fatalf("route %+v", r)
			}
		}
	}
	for name, u := range c.Upstreams {
		if u == nil || !strings.HasPrefix(u.URL, "http") || u.Login != nil && (u.Login.Request == nil || u.Login.Request.Method == "" || u.Login.Credential["access_token"] == (mapping.Place{})) {
			t.Fatalf("upstream %s: %+v", name, u)
		}
	}
	for name, p := range c.Providers {
		if p == nil || p.ClientID == "" || p.HasIssuer() == (p.Authorization != "" && p.Token != "" && p.User != nil) || p.Timeout <= 0 || p.Attempt <= 0 {
			t.Fatalf("provider %s: %+v", name, p)
		}
	}
	for _, key := range c.Sessions.Keys {
		if raw, err := configs.KeyBytes(key); err != nil || len(raw) < 32 {
			t.Fatal(err)
		}
	}
	if len(c.Sessions.Keys) == 0 || c.Sessions.Store.IsEmpty() || configs.Refused(check.Config(c)) {
		t.Fatal(fmt.Sprint(check.Config(c)))
	}
}

// soundDoor holds a frontend without pages against the same.
func soundDoor(t *testing.T, name string, f *configs.Frontend) {
	t.Helper()
	if len(f.Hosts()) != 1 || f.Hosts()[0] == "" {
		t.Fatalf("frontend %s: %+v", name, f)
	}
	for _, r := range f.Routes {
		if r == nil || r.SendToken == nil || r.Session != "none" || len(r.Callers) == 0 || r.HeaderTimeout <= 0 {
			t.Fatalf("route %+v", r)
		}
	}
}
