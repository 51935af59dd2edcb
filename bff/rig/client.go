package rig

import (
	"context"
	"net"
	"net/http"
	"time"
)

// Status is the status of GET url; 0: no answer came.
func Status(url string) int {
	r, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = r.Body.Close()
	return r.StatusCode
}

// Client keeps many connections to one address (host and port), whatever host a request
// names. It follows the usual rules of [http.Client] otherwise, with two minutes a call.
func Client(address string) *http.Client {
	return &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}, MaxIdleConns: 512, MaxIdleConnsPerHost: 512, DisableCompression: true}}
}
