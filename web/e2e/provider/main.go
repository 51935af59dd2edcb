// Command provider runs the small OpenID Provider of the demo for the browser tests.
// It reads what it is to be from its input, as JSON, and says "ready" when it answers.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"coatcheck/upstream/demo/provider"
)

// task is what a test asks for.
type task struct {
	// Listen is the address, host:port; Issuer the one that browsers use.
	Listen, Issuer string
	// Cert and Key are PEM files; empty: plain http. CA signs the clients' certificates.
	Cert, Key, CA string
	Clients       []provider.Client
	People        []provider.Person
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var t task
	if err := json.NewDecoder(in).Decode(&t); err != nil {
		return err
	}
	client, err := caller(t.CA)
	if err != nil {
		return err
	}
	p, err := provider.New(provider.Options{Issuer: t.Issuer, Clients: t.Clients, People: t.People, HTTP: client})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", t.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintln(out, "ready")
	if t.Cert != "" {
		return server.ServeTLS(l, t.Cert, t.Key)
	}
	return server.Serve(l)
}

// caller sends logout tokens. Names of the tests mean this machine, whatever DNS says.
func caller(ca string) (*http.Client, error) {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	return &http.Client{Transport: transport, Timeout: 2 * time.Minute}, nil
}
