package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// TLSConfig reads what an API's certificate is held against and what it is shown, from
// PEM files: ca are the authorities that replace the system's, cert and key are for
// mutual TLS. Empty names mean none. Its errors name the key of the configuration.
func TLSConfig(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	return c, errors.Join(trust(c, ca), identify(c, cert, key))
}

// trust replaces the system's authorities by those in file.
func trust(t *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("ca: %w", err)
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return errors.New("ca: no certificate in the file")
	}
	return nil
}

// identify loads the certificate that Coatcheck shows (mutual TLS).
func identify(t *tls.Config, cert, key string) error {
	if cert == "" && key == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("client_cert: %w", err)
	}
	t.Certificates = []tls.Certificate{pair}
	return nil
}
