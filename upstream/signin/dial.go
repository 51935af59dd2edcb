package signin

import (
	"fmt"

	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/forward"
)

// newDialer reads the certificates that c names.
func newDialer(a *upstream.Address, c *configs.Upstream) (*upstream.Dialer, error) {
	proxy, err := upstream.ParseProxy(c.Proxy.Reveal())
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	d, err := directDialer(a, c)
	if err != nil || proxy == nil {
		return d, err
	}
	return d.Through(proxy), nil
}

func directDialer(a *upstream.Address, c *configs.Upstream) (*upstream.Dialer, error) {
	if a.Scheme != "https" {
		return upstream.NewDialer(a, nil, c.ConnectTimeout), nil
	}
	trust, err := upstream.TLSConfig(c.CA, c.ClientCert, c.ClientKey)
	if err != nil {
		return nil, err
	}
	trust.ServerName = c.TLSServerName
	return upstream.NewDialer(a, trust, c.ConnectTimeout), nil
}

// ForwardOptions are where this upstream is and how it is reached, for a
// [forward.Forwarder] that carries calls there.
func (u *Upstream) ForwardOptions() forward.Options {
	return forward.Options{Dialer: u.dialer, Origin: u.address.Origin(), MaxConns: u.maxConns, OwnerOnly: u.ownerOnly}
}
