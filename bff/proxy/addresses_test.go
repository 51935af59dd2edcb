package proxy_test

import (
	"net/url"
	"strings"
	"testing"

	"coatcheck/bff/proxy"
	"coatcheck/bff/routing"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// routes are the ways in which a path can be changed: public prefix, base and rewrite.
var routes = map[string]struct{ base, path, rewrite string }{
	"same":     {"", "/api/", "/api/"},
	"stripped": {"", "/up/", "/"},
	"replaced": {"", "/v/", "/v2/"},
	"based":    {"/base", "/api/", "/v1/"},
	"whole":    {"", "/", "/"},
	"grown":    {"", "/", "/v1/"},
}

func tableOf(t testing.TB, name, upstream, page string) *routing.Table {
	t.Helper()
	r := routes[name]
	text := `
listen: "127.0.0.1:0"
sessions: {store: "memory://", keys: ["dGhpcyBpcyB0aGUga2V5IG9mIHRoZSBwcm94eSB0ZXN0cw=="]}
upstreams:
  api:
    url: "` + upstream + r.base + `"
    insecure_http: true
    login:
      request: {path: /auth/login, body: {email: "{email}"}}
      credential: {access_token: /t}
      user: {from: response, at: /user}
frontends:
  shop:
    origins: ["` + page + `"]
    login: {upstream: api, fields: [email]}
    routes: [{path: "` + r.path + `", upstream: api, rewrite: "` + r.rewrite + `"}]
`
	if name == "same" { // a longer route that leads elsewhere, and one that leads to the same place
		text = strings.Replace(text, "routes: [", `routes: [{path: /api/odd/, upstream: api, rewrite: /even/}, {path: /api/kept/, upstream: api}, `, 1)
	}
	c, faults := read.Text("test.yaml", []byte(text), func(string) (string, bool) { return "", false }, nil)
	if configs.Refused(faults) {
		t.Fatal(faults)
	}
	table, err := routing.New(c, routing.Options{Closed: func(string) func([]byte) bool { return func([]byte) bool { return false } }})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestAddresses: an address of the API below the route comes back as one of the route;
// every other passes as it is.
func TestAddresses(t *testing.T) {
	const http9000, https = "http://api.test:9000", "https://api.test"
	for _, row := range []struct{ route, upstream, public, value, want string }{
		{"stripped", http9000, "/up/x", "http://api.test:9000/files/2", "/up/files/2"},
		{"stripped", http9000, "/up/x", "https://api.test:9000/files/2", "/up/files/2"},
		{"stripped", http9000, "/up/x", "HTTP://API.test:9000/files/2?a#b", "/up/files/2?a#b"},
		{"stripped", http9000, "/up/x", "//api.test:9000/files/2", "/up/files/2"},
		{"stripped", http9000, "/up/x", "http://api.test:9000", "/up/"},
		{"stripped", http9000, "/up/x", "http://api.test:9000?a", "/up/?a"},
		{"stripped", http9000, "/up/x", "http://api.test:9001/files", "http://api.test:9001/files"},
		{"stripped", http9000, "/up/x", "http://api.test/files", "http://api.test/files"},
		{"stripped", https, "/up/x", "http://api.test/files", "/up/files"},
		{"stripped", https, "/up/x", "http://api.test:80/files", "/up/files"},
		{"stripped", https, "/up/x", "https://api.test:443/files", "/up/files"},
		{"stripped", https, "/up/x", "//api.test/files", "/up/files"},
		{"stripped", https, "/up/x", "https://api.test:/files", "/up/files"},
		{"stripped", https, "/up/x", "https://api.test:80/files", "https://api.test:80/files"},
		{"stripped", https, "/up/x", "https://ada@api.test/files", "https://ada@api.test/files"},
		{"stripped", https, "/up/x", "https://api.test@evil.test/files", "https://api.test@evil.test/files"},
		{"stripped", https, "/up/x", "https://api.test.evil.test/files", "https://api.test.evil.test/files"},
		{"stripped", https, "/up/x", "ftp://api.test/files", "ftp://api.test/files"},
		{"stripped", https, "/up/x", "https:/api.test/files", "https:/api.test/files"},
		{"stripped", https, "/up/x", "https:///api.test/files", "https:///api.test/files"},
		{"stripped", https, "/up/x", "mailto:a@b.test", "mailto:a@b.test"},
		// built from X-Forwarded-Host, with the scheme told or without regard to it
		{"stripped", https, "/up/x", "https://shop.test/files/2", "/up/files/2"},
		{"stripped", https, "/up/x", "http://shop.test/files/2", "/up/files/2"},
		{"stripped", https, "/up/x", "//shop.test:443/files/2", "/up/files/2"},
		{"stripped", https, "/up/x", "https://shop.test:8443/files/2", "https://shop.test:8443/files/2"},
		{"based", https, "/api/x", "https://shop.test/base/v1/2", "/api/2"},
		{"based", https, "/api/x", "https://shop.test/welcome", "https://shop.test/welcome"},
		// and from X-Forwarded-Prefix, which stands in place of a base, or before it
		{"stripped", https, "/up/x", "https://shop.test/up/files/2", "/up/files/2"},
		{"stripped", https, "/up/x", "http://shop.test/up/files/2", "/up/files/2"},
		{"stripped", https, "/up/x", "/up/files/2", "/up/files/2"},
		{"based", https, "/api/x", "/api/base/v1/2", "/api/2"},
		{"replaced", https, "/v/x", "https://shop.test/v/v2/2", "/v/2"},
		{"replaced", https, "/v/x", "/v/2", "/v/2"},
		// dot segments are resolved where the API meant them
		{"replaced", https, "/v/x", "/v2/../admin", "/v2/../admin"},
		{"replaced", https, "/v/x", "/v2/a/../b", "/v/b"},
		{"replaced", https, "/v/x", "/x/%2E%2e/v2/b", "/v/b"},
		{"replaced", https, "/v/x", "https://api.test/v2/./b/.", "/v/b/"},
		// relative ones as well; what means the same to a browser stays
		{"based", https, "/api/a/b", "c", "c"},
		{"based", https, "/api/a/b", "../c", "../c"},
		{"based", https, "/api/a/b", "../../v1/c", "/api/c"},
		{"based", https, "/api/a/b", "../../../base/v1/c?d", "/api/c?d"},
		{"based", https, "/api/a/b", "../../c", "../../c"},
		{"based", https, "/api/a/b", "?page=2", "?page=2"},
		{"based", https, "/api/a/b", "#x", "#x"},
		{"based", https, "/api/a/b", "", ""},
		{"grown", https, "/a", "../v1/b", "/b"},
		// nothing turns into another host's
		{"whole", https, "/x", "https://api.test//evil.test", "https://api.test//evil.test"},
		{"whole", https, "/x", "/..//evil.test", "/..//evil.test"},
		{"grown", https, "/x", "/v1//evil.test", "/v1//evil.test"},
		{"grown", https, "/x", `/v1/\evil.test`, `/v1/\evil.test`},
		{"grown", https, "/x", "/v1/\t/evil.test", "/v1/\t/evil.test"},
		{"grown", https, "/x", "https://api.test/v1/.//evil.test", "https://api.test/v1/.//evil.test"},
		{"replaced", https, "/v/x", "/v2//evil.test", "/v//evil.test"},
		// another route of the frontend has the path: only where it leads to the same place
		{"same", https, "/api/x", "https://api.test/api/y", "/api/y"},
		{"same", https, "/api/x", "https://api.test/api/odd/y", "https://api.test/api/odd/y"},
		{"same", https, "/api/x", "https://api.test/api/kept/y", "/api/kept/y"},
	} {
		table := tableOf(t, row.route, row.upstream, "https://shop.test")
		if got := proxy.RewriteAddress(table, "shop.test", row.public, row.value); got != row.want {
			t.Errorf("%s, %s: %q came as %q, want %q", row.route, row.upstream, row.value, got, row.want)
		}
	}
}

// TestForwardedPrefix: where a path was rewritten, the API is told what to put in front
// of its own.
func TestForwardedPrefix(t *testing.T) {
	for name, want := range map[string]string{"same": "", "stripped": "/up", "replaced": "/v", "based": "/api", "whole": "", "grown": ""} {
		table := tableOf(t, name, "https://api.test", "https://shop.test")
		if got := table.Routes[len(table.Routes)-1].ForwardedPrefix; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestLinks: all targets and anchors of a Link field, and nothing else of it.
func TestLinks(t *testing.T) {
	table := tableOf(t, "replaced", "https://api.test", "https://shop.test")
	for _, row := range [][2]string{
		{`<https://api.test/v2/list?page=2>; rel="next"`, `</v/list?page=2>; rel="next"`},
		{`<https://api.test/v2/a,b>; rel=next, </v2/c>; rel="prev"; title="</v2/d>, \"</v2/e>"`, `</v/a,b>; rel=next, </v/c>; rel="prev"; title="</v2/d>, \"</v2/e>"`},
		{`<#x>; rel=item; anchor="https://api.test/v2/list"`, `<#x>; rel=item; anchor="/v/list"`},
		{`<https://elsewhere.test/v2/a>; rel=preload; Anchor = "/v2/b"`, `<https://elsewhere.test/v2/a>; rel=preload; Anchor = "/v/b"`},
		{`</v2/a>; xanchor="/v2/b"`, `</v/a>; xanchor="/v2/b"`},
		{`</v2/a>; rel="next`, `</v2/a>; rel="next`},
		{`</v2/a`, `</v2/a`},
		{``, ``},
	} {
		if got := proxy.RewriteLinks(table, "shop.test", "/v/x", row[0]); got != row[1] {
			t.Errorf("%s\n came as %s,\n want    %s", row[0], got, row[1])
		}
	}
}

// FuzzAddress: whatever an API writes, what is changed is a path of the host that was
// called, below the route. All else passes as it is.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"https://api.test/v1//evil", "//api.test/base/v1/x", "/v1/../..//evil", "../../v1/x", "/%2e%2E//x", "http://shop.test/up/x?y#z", `<https://api.test/v2/x>; anchor="/v2/y"`} {
		for name := range routes {
			f.Add(name, seed)
		}
	}
	tables := map[string]*routing.Table{}
	for name := range routes {
		tables[name] = tableOf(f, name, "https://api.test", "https://shop.test")
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		table := tables[name]
		if table == nil {
			return
		}
		prefix := table.Routes[len(table.Routes)-1].Prefix
		if got := proxy.RewriteAddress(table, "shop.test", prefix+"a/b", value); got != value {
			ownPath(t, prefix, value, got)
		}
		links := proxy.RewriteLinks(table, "shop.test", prefix+"a/b", value)
		if outside(links) != outside(value) {
			t.Fatalf("%q came as %q", value, links)
		}
	})
}

// ownPath fails unless a browser takes got for a path of the host that it called.
func ownPath(t *testing.T, prefix, value, got string) {
	t.Helper()
	if !strings.HasPrefix(got, prefix) || strings.HasPrefix(got, "//") || strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		t.Fatalf("%q came as %q", value, got)
	}
	path, _, _ := strings.Cut(strings.SplitN(got, "#", 2)[0], "?")
	for segment := range strings.SplitSeq(strings.ReplaceAll(strings.ToLower(path), "%2e", "."), "/") {
		if segment == "." || segment == ".." {
			t.Fatalf("%q came as %q, which leads elsewhere", value, got)
		}
	}
	if u, err := url.Parse(got); err == nil && (u.Host != "" || u.Scheme != "") {
		t.Fatalf("%q came as %q: %v", value, got, u)
	}
}

// outside is a Link field without what stands between < and >, and in quotes.
func outside(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		end := map[byte]byte{'<': '>', '"': '"'}[s[i]]
		if b.WriteByte(s[i]); end == 0 {
			continue
		}
		for i++; i < len(s) && s[i] != end; i++ {
			if end == '"' && s[i] == '\\' {
				i++
			}
		}
	}
	return b.String()
}
