package server_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"coatcheck/bff/explain"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// TestExplainAgrees: explain says of each request what serving it answers, or else says
// what it does not explain.
func TestExplainAgrees(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("<!doctype html><head></head>"), 0o600); err != nil {
		t.Fatal(err)
	}
	var config *configs.Config
	h := open(t, settings{edit: func(yaml string) string {
		yaml += "  files:\n    origins: [\"https://files.example.com\"]\n    login: {upstream: api, fields: [email, password]}\n    spa: {dir: \"" + dir + "\"}\n" +
			"    routes: [{path: /api/, upstream: api, session: none}]\n"
		return withExchange(yaml) + "health_path: /up\n"
	}, keep: &config})
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ups.Close()
	cookie := h.signIn("ada@x.test")
	const (
		files     = "Host: files.example.com"
		upgrade   = "Connection: Upgrade"
		websocket = "Upgrade: websocket"
		version   = "Sec-WebSocket-Version: 13"
		key       = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
		preflight = "Access-Control-Request-Method: POST"
	)
	for _, row := range [][]string{
		{"GET /up", "Host: nowhere.example"}, {"HEAD /up"}, {"POST /up"}, {"GET /up?x"}, {"OPTIONS /up", shop, preflight},
		{"OPTIONS /api/a%2Fb", shop, preflight}, {"OPTIONS /slash/a%2Fb", shop, preflight}, {"OPTIONS /bff/a%2Fb", shop, preflight},
		{"GET /a%2Fb", "Host: nowhere.example"}, {"GET /slash/a%2Fb"}, {"GET /api/a%2Fb"},
		{"OPTIONS /bff/login", shop, preflight}, {"OPTIONS /nothing", shop, preflight}, {"OPTIONS /api/x", desk, preflight}, {"OPTIONS /api/x", shop},
		{"GET /", files}, {"POST /", files}, {"OPTIONS /x", files}, {"DELETE /index.html", files}, {"GET /.env", files}, {"GET /a%2Fb", files},
		{"GET /api/long/x", upgrade, websocket, version, key, shop}, {"GET /api/long/x", upgrade, websocket, version, shop},
		{"GET /api/long/x", upgrade, websocket, key, shop}, {"GET /api/long/x", upgrade, websocket, version, "Sec-WebSocket-Key: short", shop},
		{"GET /api/long/x", upgrade, websocket, version, key}, {"POST /api/long/x", upgrade, websocket, shop, xcsrf},
		{"POST /api/x", shop, xcsrf, cookie, "Content-Length: 1025"}, {"POST /open/x", shop, xcsrf, "Content-Length: 33554433"},
		{"POST /bff/login", shop, xcsrf, json_, "Content-Length: 9000"}, {"POST /bff/login", shop, xcsrf, "Content-Length: 2"},
		{"POST /bff/login", shop, xcsrf, "Content-Type: text/plain"}, {"POST /bff/login", shop, xcsrf, json_, "Content-Encoding: gzip"},
		{"GET /api/x", "Expect: the-unexpected"}, {"TRACE /api/x"}, {"CONNECT /api/x"}, {"GET /api/x", "X: " + strings.Repeat("x", 20000)},
		{"GET /api/x", "Content-Length: 1", "Content-Length: 2"}, {"GET /api/../x"}, {"GET //x"}, {"GET /x", "Host: nowhere.example"},
		{"GET /api/x", apiHost}, {"GET /api/x", apiHost, desk}, {"GET /api/x", shop, shop}, {"GET /api/x", "Sec-Fetch-Site: cross-site"},
		{"POST /api/x", shop}, {"GET /api/x", "Sec-Fetch-Dest: script"}, {"GET /bff/logout", shop}, {"GET /bff/nothing"}, {"GET /nothing"},
		{"GET /root/auth/login"}, {"GET /root/internal/x"}, {"POST /v/x", shop, xcsrf}, {"GET /hook/x"}, {"POST /hook/x", "Content-Type: a/b"},
		{"GET /api/x"}, {"GET /maybe/x"}, {"GET /open/x"}, {"GET /root//x"},
		{"POST /bff/exchange/swap", shop, xcsrf}, {"POST /bff/exchange/none", shop, xcsrf}, {"GET /bff/exchange/swap", shop}, {"POST /bff/exchange/swap", shop},
		{"POST /bff/exchange/swap", apiHost, desk, xcsrf}, {"GET /root/swap"}, {"PUT /bff/session", shop, xcsrf},
	} {
		method, path, _ := strings.Cut(row[0], " ")
		host, request := "shop.example.com", row[0]+" HTTP/1.1\r\n"
		for _, header := range row[1:] {
			if name, rest, _ := strings.Cut(header, ": "); name == "Host" {
				host = rest
			} else {
				request += header + "\r\n"
			}
		}
		served := h.raw(request+"Host: "+host+"\r\n\r\n", method == "HEAD")
		told, err := explain.Explain(config, ups, explain.RawRequest{Method: method, URL: "https://" + host + path, Headers: row[1:], Peer: netip.MustParseAddr("127.0.0.1")})
		if err != nil {
			t.Errorf("%q: %v", row, err)
			continue
		}
		text := strings.Join(told.Lines, "\n")
		if status, code, refused := explainedAnswer(text); refused {
			if served.StatusCode != status || served.code() != code {
				t.Errorf("%q: served with %d %q, explained as %d %q\n%s", row, served.StatusCode, served.code(), status, code, text)
			}
			continue
		}
		if served.StatusCode >= 400 && !leftOpen(served.code(), text) || !strings.Contains(text, "Not shown") && !strings.Contains(text, "answer    204") {
			t.Errorf("%q: served with %d %q, explained as\n%s", row, served.StatusCode, served.code(), text)
		}
	}
}

// leftOpen reports whether the trail itself leaves open what was answered.
func leftOpen(code, trail string) bool {
	switch code {
	case "not_authenticated": // of Coatcheck's own addresses, or said with the session
		return strings.Contains(trail, "401 not_authenticated") || strings.Contains(trail, "endpoint")
	case "body_too_large": // behind the session, which is not looked at
		return strings.Contains(trail, "if the session lives, 413 body_too_large")
	case "upstream_invalid": // the API speaks no WebSocket
		return strings.Contains(trail, "Upgrade: websocket")
	}
	return false
}

var answerLine = regexp.MustCompile(`(?m)^answer +(\d{3}) ([a-z_]+)[:,;]`)

// explainedAnswer is the refusal that a trail ends with.
func explainedAnswer(trail string) (status int, code string, refused bool) {
	m := answerLine.FindStringSubmatch(trail)
	if m == nil {
		return 0, "", false
	}
	status, _ = strconv.Atoi(m[1])
	return status, m[2], true
}

// TestExplainAtProvider: explain says of a sign-in at a provider what serving it
// answers, and shows the request to the provider without making one.
func TestExplainAtProvider(t *testing.T) {
	a := openAtProvider(t, nil)
	ups, err := signin.New(a.config.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ups.Close()
	form := "Content-Type: application/x-www-form-urlencoded"
	for _, row := range [][]string{
		{"GET /bff/login?return_to=/x&prompt=login&max_age=60&acr=gold"}, {"GET /bff/login"}, {"GET /bff/login?x=1"}, {"GET /bff/login?return_to=//evil.test"},
		{"GET /bff/login?provider=none"}, {"GET /bff/login", "Sec-Fetch-Mode: cors"}, {"GET /bff/login", "Purpose: prefetch"}, {"PUT /bff/login", shop, xcsrf},
		{"GET /bff/callback/none?state=x"}, {"POST /bff/callback/id", form}, {"GET /bff/callback/id", "Sec-Fetch-Dest: iframe"}, {"DELETE /bff/callback/id"},
		{"POST /bff/backchannel-logout/none", form}, {"GET /bff/backchannel-logout/id"}, {"POST /bff/logout/x", shop, xcsrf},
		{"GET /bff/login", apiHost}, {"GET /bff/login?frontend=till", apiHost}, {"GET /bff/login", "Host: both.example.com"},
	} {
		method, path, _ := strings.Cut(row[0], " ")
		host := "shop.example.com"
		for _, header := range row[1:] {
			if rest, ok := strings.CutPrefix(header, "Host: "); ok {
				host = rest
			}
		}
		served := a.call(row[0], row[1:]...)
		told, err := explain.Explain(a.config, ups, explain.RawRequest{Method: method, URL: "https://" + host + path, Headers: row[1:], Peer: netip.MustParseAddr("127.0.0.1")})
		if err != nil {
			t.Errorf("%q: %v", row, err)
			continue
		}
		text := strings.Join(told.Lines, "\n")
		switch status, code, refused := explainedAnswer(text); {
		case refused && (served.StatusCode != status || served.code() != code):
			t.Errorf("%q: served %d %q\n%s", row, served.StatusCode, served.code(), text)
		case !refused && served.code() != "":
			t.Errorf("%q: served %d %q, and explain does not know\n%s", row, served.StatusCode, served.code(), text)
		}
	}
	told, err := explain.Explain(a.config, ups, explain.RawRequest{Method: "GET", URL: "https://shop.example.com/bff/login?return_to=/x&prompt=login&acr=gold", Peer: netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(told.Lines, "\n")
	for _, line := range []string{"return to https://shop.example.com/x", "redirect_uri = " + shopCallback, "state = (made for each attempt)", "code_challenge_method = S256",
		"acr_values = gold", "prompt = login", "client_id = coatcheck", "scope = openid profile email offline_access"} {
		if !strings.Contains(text, line) {
			t.Errorf("not told: %s\n%s", line, text)
		}
	}
	if strings.Contains(text, "client-secret-MARKED") {
		t.Error("the client secret is shown")
	}
	t.Log("\n" + text)
}
