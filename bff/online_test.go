package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// expiring is a certificate for 127.0.0.1 that ends in a week, and its PEM files.
func expiring(t *testing.T) (pair tls.Certificate, file, keyFile string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "the API"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(7*24*time.Hour + time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file, keyFile = filepath.Join(t.TempDir(), "ca.pem"), filepath.Join(t.TempDir(), "key.pem")
	for name, block := range map[string]*pem.Block{file: {Type: "CERTIFICATE", Bytes: der},
		keyFile: {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file, keyFile
}

// TestCheckOnline: the program dials a real Redis and an API over TLS, and shows what
// they are: certificate, days left, clock; and refuses when one is away.
func TestCheckOnline(t *testing.T) {
	file, err := rig.Binary()
	if err != nil {
		t.Fatal(err)
	}
	cert, ca, key := expiring(t)
	port := freeport.Text(t)
	redis := rig.Start(t, nil, "redis-server", "--port", "0", "--tls-port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(),
		"--tls-cert-file", ca, "--tls-key-file", key, "--tls-ca-cert-file", ca, "--tls-auth-clients", "no")
	rig.Until(t, "Redis", func() bool { return strings.Contains(redis.Printed.String(), "Ready to accept connections") })
	store := "rediss://127.0.0.1:" + port + "/0?ca=" + ca
	asked := make(chan string, 9)
	api := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.URL.Path
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		w.WriteHeader(404)
	}))
	api.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	api.StartTLS()
	defer api.Close()
	config := filepath.Join(t.TempDir(), "coatcheck.yaml")
	text := strings.Replace(serveConfig, `url: "${API}"`, "url: \"${API}/base\"\n    ca: "+ca, 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, sealing, _ := runCommand(nil, "keygen")
	env := []string{"PORT=18080", "ADMIN=19090", "STORE=" + store, "API=" + api.URL, "KEY=" + strings.TrimSpace(sealing)}
	check := func(args ...string) (int, string) {
		p := rig.Start(t, env, file, append([]string{"check", "--config", config}, args...)...)
		<-p.Exited
		return p.ProcessState.ExitCode(), p.Printed.String() + p.Log.String()
	}
	if code, said := check(); code != exitDone || len(asked) != 0 {
		t.Errorf("offline: exit %d, asked %d times\n%s", code, len(asked), said)
	}
	// Online checks are made again where a busy machine let a handshake run out of time.
	var code int
	var said string
	rig.Until(t, "a check that finds both", func() bool { code, said = check("-online"); return code == exitDone })
	for _, want := range []string{"ok      store", "ok      upstream api", "404", "TLS 1.3", "by the API", "7 days left: RENEW IT", "AHEAD of ours"} {
		if !strings.Contains(said, want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
	if strings.Count(said, "7 days left: RENEW IT") != 2 || strings.Count(said, "clock: ") != 2 {
		t.Errorf("store and API both have a certificate and a clock:\n%s", said)
	}
	if got := <-asked; got != "HEAD /base/" {
		t.Errorf("asked %s", got)
	}
	for line := range strings.Lines(said) {
		if len(line) > 101 {
			t.Errorf("too long for a terminal: %s", line)
		}
	}
	for url, cure := range map[string]string{
		"redis://127.0.0.1:" + port:                                         "if it speaks TLS, use rediss://",
		"rediss://127.0.0.1:" + port:                                        "certificate not trusted: add ?ca=FILE",
		"rediss://" + strings.TrimPrefix(api.URL, "https://") + "?ca=" + ca: "",
	} {
		env[2] = "STORE=" + url
		rig.Until(t, url+": "+cure, func() bool {
			code, said := check("--online")
			return code == exitRefused && strings.Contains(said, "FAILED  store") && strings.Contains(said, cure)
		})
	}
	env[2] = "STORE=" + store
	_ = redis.Process.Kill()
	<-redis.Exited
	rig.Until(t, "a check without the store", func() bool {
		code, said = check("--online")
		return code == exitRefused && strings.Contains(said, "FAILED  store") && strings.Contains(said, "ok      upstream api")
	})
	api.Close()
	freeport.Keep(t, api.Listener.Addr())
	if code, said = check("--online"); code != exitRefused || !strings.Contains(said, "FAILED  upstream api") {
		t.Errorf("API away: exit %d\n%s", code, said)
	}
}
