//go:build linux

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const gib = 1 << 30

// furnish writes the files that the API gives out, and a certificate for this machine.
func (at *place) furnish() error {
	www := filepath.Join(at.dir, "www", "api")
	if err := os.MkdirAll(www, 0o755); err != nil {
		return err
	}
	for name, size := range map[string]int{"8k": 8 << 10, "64k": 64 << 10} {
		text := strings.Repeat(body(), size/len(body())+1)[:size]
		if err := os.WriteFile(filepath.Join(www, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	large, err := os.Create(filepath.Join(www, "1g"))
	if err != nil {
		return err
	}
	return errors.Join(large.Truncate(gib), large.Close(), at.certify())
}

// certify makes cert.pem and key.pem.
func (at *place) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	form := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	cert, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, bytes []byte) error {
		return os.WriteFile(filepath.Join(at.dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes}), 0o644)
	}
	return errors.Join(write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", secret))
}
