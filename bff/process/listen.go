package process

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"coatcheck/bff/socket"
)

// Use answers on listeners that are open already. It is called once, before [Process.Run].
func (p *Process) Use(public, operators net.Listener) { p.public, p.operators = public, operators }

// listen opens both listeners, and neither if one fails.
func (p *Process) listen() error {
	var err error
	if p.public, err = listenAt(p.config.Listen); err != nil {
		return ListenError("listen", p.config.Listen, err)
	}
	if t := p.config.TLS; t != nil {
		if p.certificate, err = newCertificate(t.Cert, t.Key, p.log); err != nil {
			return errors.Join(err, p.public.Close())
		}
		p.public = tls.NewListener(socket.Listener{Listener: p.public}, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.certificate.get, NextProtos: []string{"http/1.1"}})
	}
	if p.operators, err = listenAt(p.config.Admin.Listen); err != nil {
		return errors.Join(ListenError("admin.listen", p.config.Admin.Listen, err), p.public.Close())
	}
	return nil
}

// ListenError says why an address that the configuration names under key cannot be
// listened on.
func ListenError(key, address string, err error) error {
	why := err
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		why = errors.New("already in use by another process")
	case strings.HasPrefix(address, "unix:"): // it says itself what is in the way
	case errors.Is(err, syscall.EACCES):
		why = errors.New("permission denied: a port below 1024 needs CAP_NET_BIND_SERVICE")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		why = errors.New("not an address of this machine")
	}
	return fmt.Errorf("cannot listen on %s (%s): %w", address, key, why)
}
