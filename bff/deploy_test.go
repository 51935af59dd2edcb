package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
	"coatcheck/upstream/demo"

	"github.com/coder/websocket"
)

// behind is Coatcheck as configs/deploy/coatcheck.yaml has it, before the demo's API.
func behind(t *testing.T) (address string) {
	t.Helper()
	text, err := os.ReadFile("../configs/deploy/coatcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(demo.Handler(demo.Options{}))
	t.Cleanup(api.Close)
	redis := "redis://" + rig.Redis(t) + "/0"
	address, admin, config := "127.0.0.1:"+freeport.Text(t), "127.0.0.1:"+freeport.Text(t), filepath.Join(t.TempDir(), "coatcheck.yaml")
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), `":8080"`, `"`+address+`"`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	_, key, _ := runCommand(nil, "keygen")
	rig.Start(t, []string{"COATCHECK_KEY=" + strings.TrimSpace(key), "REDIS_URL=" + redis, "API_URL=" + api.URL, "SITE=shop.example.com", "ADMIN_LISTEN=" + admin}, file, "serve", "-config", config)
	rig.Until(t, "Coatcheck", func() bool { return rig.Status("http://"+admin+"/readyz") == 200 })
	return address
}

// throughFront signs in, calls, listens and talks through what answers at address
// for https://shop.example.com.
func throughFront(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate is the test's own
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}}}
	defer client.CloseIdleConnections()
	header := http.Header{"Origin": {"https://shop.example.com"}, "X-Csrf": {"1"}, "Content-Type": {"application/json"}}
	ask := func(method, path, body string) *http.Response {
		t.Helper()
		request, _ := http.NewRequestWithContext(ctx, method, "https://shop.example.com"+path, strings.NewReader(body))
		request.Header = header.Clone()
		answer, err := sent(client, request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return answer
	}
	rig.Until(t, "the front", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	if page, _ := io.ReadAll(ask("GET", "/any/page", "").Body); !strings.Contains(string(page), "the shop's page") {
		t.Fatalf("page: %.200q", page)
	}
	signed := ask("POST", "/bff/login", `{"email":"ada@shop.example","password":"engine-number-one"}`)
	if signed.StatusCode != 200 || len(signed.Cookies()) != 1 {
		t.Fatalf("sign-in: %s %v", signed.Status, signed.Header)
	}
	header.Set("Cookie", signed.Cookies()[0].Name+"="+signed.Cookies()[0].Value)
	list, _ := io.ReadAll(ask("GET", "/bff/sessions", "").Body)
	if !strings.Contains(string(list), `"address":"127.0.0.1"`) {
		t.Errorf("sessions: %s", list)
	}
	if echo, _ := io.ReadAll(ask("POST", "/api/echo?a=%2Fb&a=2", "hello").Body); !strings.Contains(string(echo), `"query":"a=%2Fb\u0026a=2"`) && !strings.Contains(string(echo), `"query":"a=%2Fb&a=2"`) {
		t.Errorf("echo: %s", echo)
	}
	events := bufio.NewReader(ask("GET", "/api/events", "").Body)
	for range 5 { // the second event has begun: nothing holds them back
		if _, err := events.ReadString('\n'); err != nil {
			t.Fatalf("events: %v", err)
		}
	}
	ws, _, err := websocket.Dial(ctx, "wss://shop.example.com/api/socket", &websocket.DialOptions{HTTPHeader: header, HTTPClient: &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}, //nolint:gosec // as above
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}}}})
	if err != nil {
		t.Fatalf("WebSocket: %v", err)
	}
	defer ws.CloseNow()
	if err := ws.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, heard, err := ws.Read(ctx); err != nil || !strings.Contains(string(heard), "hello") {
		t.Errorf("WebSocket: %q, %v", heard, err)
	}
	if got := ask("POST", "/bff/logout", ""); got.StatusCode != 204 {
		t.Errorf("sign-out: %s", got.Status)
	}
	if _, _, err := ws.Read(ctx); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("after the sign-out: %v", err)
	}
}

// pagesFolder is a folder with an application in it.
func pagesFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("the shop's page"), 0o644); err != nil { //nolint:gosec // nginx's worker reads it
		t.Fatal(err)
	}
	return dir
}

// TestNginxInFront: the example passes nginx -t, and all of Coatcheck goes through it.
func TestNginxInFront(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../configs/deploy/nginx/shop.conf")
	if err != nil {
		t.Fatal(err)
	}
	dir, public := t.TempDir(), "127.0.0.1:"+freeport.Text(t)
	cert, key := certify(t, dir, 1)
	text := strings.NewReplacer("127.0.0.1:8080", behind(t), "listen 443", "listen "+public, "/etc/ssl/shop/cert.pem", cert, "/etc/ssl/shop/key.pem", key,
		"/srv/shop", pagesFolder(t)).Replace(string(example))
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n" // the folders of tests are closed to others
	}
	whole := user + "daemon off;\nmaster_process off;\npid " + dir + "/pid;\nerror_log " + dir + "/error.log;\nevents {}\nhttp {\naccess_log off;\nclient_body_temp_path " + dir + "/body;\nproxy_temp_path " + dir +
		"/proxy;\nfastcgi_temp_path " + dir + "/f;\nuwsgi_temp_path " + dir + "/u;\nscgi_temp_path " + dir + "/s;\n" + text + "}\n"
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("nginx", "-t", "-e", dir+"/error.log", "-c", file).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	rig.Start(t, nil, "nginx", "-e", dir+"/error.log", "-c", file)
	throughFront(t, public)
}

// TestCaddyInFront: the same with Caddy.
func TestCaddyInFront(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../configs/deploy/caddy/Caddyfile")
	if err != nil {
		t.Fatal(err)
	}
	dir, port := t.TempDir(), freeport.Text(t)
	cert, key := certify(t, dir, 1)
	text := "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + strings.NewReplacer("/srv/shop", pagesFolder(t),
		"\tencode zstd gzip", "\ttls "+cert+" "+key+"\n\tbind 127.0.0.1\n\tencode zstd gzip").Replace(string(example))
	file := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"SITE=https://shop.example.com:" + port, "COATCHECK=" + behind(t), "HOME=" + dir, "XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}
	rig.Start(t, env, "caddy", "run", "--config", file, "--adapter", "caddyfile")
	throughFront(t, "127.0.0.1:"+port)
}

// exposure is the most that `systemd-analyze security` may say; 10 is wide open.
const exposure = 2.0

// TestSystemdUnit: systemd takes the unit as it is, and finds it closed.
func TestSystemdUnit(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../configs/deploy/systemd/coatcheck.service")
	if err != nil {
		t.Fatal(err)
	}
	program, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "coatcheck.service")
	unit := strings.NewReplacer("/usr/bin/coatcheck", program, "Documentation=man:coatcheck(1)\n", "").Replace(string(text))
	if err := os.WriteFile(file, []byte(unit), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-analyze", "verify", "--man=no", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("verify: %v\n%s", err, out)
	}
	out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager", file).CombinedOutput()
	m := regexp.MustCompile(`exposure level[^:]*: ([\d.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("security: %v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level > exposure {
		t.Errorf("exposure %s, at most %.1f\n%s", m[1], exposure, out)
	}
}
