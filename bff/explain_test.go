package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExplain: a request that is refused at each stage in turn, in the order of the
// stages, and what a person is told to do about it.
func TestExplain(t *testing.T) {
	env := map[string]string{"COATCHECK_KEY": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="}
	const page = "Origin: https://shop.example.com"
	const ticket = "Cookie: __Host-Http-shop=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	for _, row := range []struct {
		method, url string
		headers     []string
		want        []string // in this order
	}{
		{"TRACE", "https://api.example.com/api/x", nil, []string{"gate ", "405 method_not_allowed"}},
		{"GET", "https://api.example.com/api/x", []string{"no colon"}, []string{"gate ", "400 bad_request"}},
		{"GET", "https://api.example.com/api/x", []string{"X: " + strings.Repeat("x", 20000)}, []string{"431 headers_too_large", "limits.header"}},
		{"GET", "https://api.example.com/api/../x", []string{page}, []string{"400 bad_path", "dot segments"}},
		{"GET", "https://api.example.com/api/%zz", []string{page}, []string{"400 bad_path", "escapes"}},
		{"GET", "https://api.example.com/api/a%2Fb", []string{page}, []string{"400 bad_path", "encoded_slash: pass"}},
		{"GET", "https://dev.internal:5173/api/x", []string{page}, []string{"421 unknown_host", "api.example.com", "changeOrigin: false"}},
		{"GET", "https://dev.internal/api/x", []string{page, "X-Forwarded-Host: api.example.com"}, []string{"421 unknown_host", "trusted_proxies only"}},
		{"GET", "https://api.example.com/api/x", []string{"Origin: https://evil.example"}, []string{"403 origin_not_allowed", "Listed: https://admin.example.com:8443, https://shop.example.com"}},
		{"GET", "https://api.example.com/api/x", []string{"Origin: https://admin.example.com"}, []string{"403 origin_not_allowed", "https://admin.example.com:8443 is listed", "port only"}},
		{"GET", "https://api.example.com/api/x", nil, []string{"admin, shop live at this host", "400 frontend_undetermined", "X-Frontend"}},
		{"OPTIONS", "https://api.example.com/api/x", []string{page, "Access-Control-Request-Method: PUT"}, []string{"204: a preflight"}},
		{"GET", "https://api.example.com/api/x", []string{page, "Sec-Fetch-Site: cross-site"}, []string{"guard ", "403 cross_site_request", "use-credentials"}},
		{"POST", "https://api.example.com/api/x", []string{page}, []string{"guard ", "403 csrf_header_missing", "X-CSRF: 1"}},
		{"GET", "https://api.example.com/api/x", []string{page, "Sec-Fetch-Dest: script"}, []string{"guard ", "403 forbidden_destination"}},
		{"GET", "https://api.example.com/bff/logout", []string{page}, []string{"guard     passes", "405 method_not_allowed", "POST only"}},
		{"GET", "https://api.example.com/bff/nothing", []string{page}, []string{"404 not_found", "/bff/ is Coatcheck's own"}},
		{"GET", "https://api.example.com/api", []string{page}, []string{"route ", "404 not_found", "add the slash"}},
		{"GET", "https://api.example.com/API/x", []string{page}, []string{"404 not_found", "/api/live/, /hooks/, /api/"}},
		{"GET", "https://api.example.com/hooks/x", []string{page}, []string{"405 method_not_allowed"}},
		{"GET", "https://api.example.com/api/x?q=1", []string{page}, []string{"no ticket came: 401 not_authenticated", "GET /base/v1/x?q=1 HTTP/1.1", "Host: api.example.net", "authorization"}},
		{"GET", "https://api.example.com/api/x", []string{page, ticket, "Authorization: Bearer stolen", "X-Forwarded-For: 6.6.6.6"}, []string{"a ticket came", "X-Forwarded-For: 127.0.0.1"}},
		{"GET", "https://api.example.com/api/x", []string{"X-Frontend: admin"}, []string{"frontend  admin", "GET /base/api/x"}},
		{"POST", "https://api.example.com/bff/login", []string{page, "X-CSRF: 1"}, []string{"endpoint  /bff/login", "by Coatcheck itself"}},
	} {
		args := []string{"explain", "-config", "../configs/testdata/good/shared-host.yaml", row.method, row.url}
		for _, h := range row.headers {
			args = append(args, "-H", h)
		}
		code, said, stderr := command(env, args...)
		rest := strings.Join(strings.Fields(said), " ")
		for _, want := range row.want {
			_, after, found := strings.Cut(rest, strings.Join(strings.Fields(want), " "))
			if !found {
				t.Errorf("%s %s %.60q: no %q in what is left of\n%s", row.method, row.url, row.headers, want, said)
				break
			}
			rest = after
		}
		if code != exitDone || stderr != "" || strings.Contains(said, "AAAA") || strings.Contains(said, "stolen") || strings.Contains(said, "6.6.6.6") {
			t.Errorf("%s %s: exit %d, %s%s", row.method, row.url, code, said, stderr)
		}
		for line := range strings.Lines(said) {
			if len(line) > 93 {
				t.Errorf("too wide: %s", line)
			}
		}
	}
	for _, url := range []string{"/api/x", "api.example.com", "ftp://api.example.com/", "https:///x"} {
		if code, _, stderr := command(env, "explain", "-config", "../configs/testdata/good/shared-host.yaml", "GET", url); code != exitUsage || !strings.Contains(stderr, "no absolute URL") {
			t.Errorf("%s: exit %d, %s", url, code, stderr)
		}
	}
}

func TestExplainSaysThatTheGuardIsOff(t *testing.T) {
	content, err := os.ReadFile("../configs/testdata/good/shared-host.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(file, bytes.Replace(content, []byte("callers: [mail]"), []byte("guard: false"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"COATCHECK_KEY": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="}
	code, said, stderr := command(env, "explain", "-config", file, "GET", "https://api.example.com/hooks/x")
	if code != exitDone || !strings.Contains(said, "not asked") || !strings.Contains(stderr, "name a caller") {
		t.Errorf("exit %d, %s%s", code, said, stderr)
	}
}
