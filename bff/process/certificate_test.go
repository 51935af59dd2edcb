package process

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// writePair writes a certificate and its key.
func writePair(t *testing.T, cert, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	pair := server.TLS.Certificates[0]
	secret, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newPair is a certificate of files that a test may change, and what is logged of it.
func newPair(t *testing.T) (c *certificate, cert, key string, logs *rig.Buffer) {
	t.Helper()
	cert, key, logs = filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem"), new(rig.Buffer)
	writePair(t, cert, key)
	c, err := newCertificate(cert, key, slog.New(slog.NewTextHandler(logs, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return c, cert, key, logs
}

// TestHandshakesWaitForNoFile: while a changed certificate is read from a disk that does not
// answer, handshakes go on with the old one.
func TestHandshakesWaitForNoFile(t *testing.T) {
	c, cert, _, logs := newPair(t)
	old, err := c.get(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.lookAt = time.Time{} // the next handshake looks again
	if err := os.Remove(cert); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(cert, 0o600); err != nil { // a read of it waits for a writer
		t.Fatal(err)
	}
	got := make(chan *tls.Certificate, 2)
	handshake := func() { pair, _ := c.get(nil); got <- pair }
	go handshake()                                   // ends once the pipe does
	writer, err := os.OpenFile(cert, os.O_WRONLY, 0) // returns when it is being read
	if err != nil {
		t.Fatal(err)
	}
	go handshake()
	select {
	case pair := <-got:
		if pair != old {
			t.Error("another certificate")
		}
	case <-time.After(time.Minute):
		t.Error("a handshake waits for the disk")
	}
	_ = writer.Close()
	if pair := <-got; pair != old || !strings.Contains(logs.String(), "the old one stays") {
		t.Errorf("the handshake that looked got %v\n%s", pair, logs)
	}
}

// TestRereadOnceThereAreDescriptors: a changed certificate that cannot be read for want of
// descriptors is taken into use once there are some, without another change, and the want
// is told of once.
func TestRereadOnceThereAreDescriptors(t *testing.T) {
	c, cert, key, logs := newPair(t)
	old := c.pair.Load()
	writePair(t, cert, key)
	changed := time.Now().Add(time.Minute) // a clock may be coarser than this test is fast
	if err := os.Chtimes(cert, changed, changed); err != nil {
		t.Fatal(err)
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	look := func() *tls.Certificate {
		c.lookAt = time.Time{}
		pair, _ := c.get(nil)
		return pair
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	first, second := look(), look()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	if first != old || second != old || strings.Count(logs.String(), "too many open files") != 1 {
		t.Errorf("without descriptors:\n%s", logs)
	}
	if look() == old {
		t.Errorf("the old certificate stays:\n%s", logs)
	}
	if err := os.WriteFile(cert, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := look()
	if look() != now || strings.Count(logs.String(), "failed to find") != 1 {
		t.Errorf("what is not a certificate:\n%s", logs)
	}
}
