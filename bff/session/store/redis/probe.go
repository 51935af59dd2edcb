package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"coatcheck/bff/credential"
)

// HandshakeTLS shakes hands with each server that a URL names, and returns what each
// showed, in the order of the URL; nil for one without TLS. It sends no password. A
// server gets three seconds.
func HandshakeTLS(ctx context.Context, url credential.Secret) ([]tls.ConnectionState, error) {
	a, err := parseURL(url)
	if err != nil || !a.tls {
		return nil, err
	}
	config, err := a.tlsConfig()
	if err != nil {
		return nil, err
	}
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 3 * time.Second}, Config: config}
	var states []tls.ConnectionState
	for i, host := range a.hosts {
		conn, err := dialer.DialContext(ctx, "tcp", host)
		if err != nil {
			return states, fmt.Errorf("session: store: TLS with server %d of the URL: %w", i+1, err)
		}
		states = append(states, conn.(*tls.Conn).ConnectionState())
		_ = conn.Close()
	}
	return states, nil
}
