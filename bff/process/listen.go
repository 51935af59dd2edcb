package process

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// Use answers on listeners that are open already. It is called once, before [Process.Run].
func (p *Process) Use(public, operators net.Listener) { p.public, p.operators = public, operators }

// listen opens both listeners, and neither if one fails.
func (p *Process) listen() error {
	var err error
	if p.public, err = listenAt(p.config.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if t := p.config.TLS; t != nil {
		if p.certificate, err = newCertificate(t.Cert, t.Key, p.log); err != nil {
			return errors.Join(err, p.public.Close())
		}
		p.public = tls.NewListener(p.public, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: p.certificate.get, NextProtos: []string{"http/1.1"}})
	}
	if p.operators, err = listenAt(p.config.Admin.Listen); err != nil {
		return errors.Join(fmt.Errorf("admin.listen: %w", err), p.public.Close())
	}
	return nil
}
