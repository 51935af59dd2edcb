package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
)

// TLSConfig reads what an API's certificate is held against and what it is shown, from
// PEM files: ca are the authorities that replace the system's, cert and key are for
// mutual TLS. Empty names mean none. Its errors are of the kind [KeyError], joined where there are two.
func TLSConfig(ca, cert, key string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	return c, errors.Join(trust(c, ca), identify(c, cert, key))
}

// KeyError is what is wrong with the value of one key of the configuration.
type KeyError struct {
	// Key is the key, or a path of keys: client_cert, upstreams.api.
	Key string
	// Err says what is wrong.
	Err error
}

// Error implements error.
func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }

// Unwrap lets [errors.Is] look below.
func (e *KeyError) Unwrap() error { return e.Err }

// trust replaces the system's authorities by those in file.
func trust(t *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return &KeyError{"ca", err}
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return &KeyError{"ca", errors.New("no certificate in the file")}
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
		return &KeyError{"client_cert", err}
	}
	t.Certificates = []tls.Certificate{pair}
	return nil
}
