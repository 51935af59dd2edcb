package admin

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Direct reaches an admin listener itself. The default transport would send the request,
// and the admin token, through a proxy that HTTP_PROXY names.
var Direct http.RoundTripper = &http.Transport{}

// errAddress says that something is no address of an admin listener.
var errAddress = errors.New("--admin is not a URL, such as http://127.0.0.1:9090, nor unix:/run/admin.sock")

// At reads the address of an admin listener, a URL or unix:/run/admin.sock, and returns
// what requests begin with and what carries them.
func At(address string) (*url.URL, http.RoundTripper, error) {
	if socket, is := strings.CutPrefix(address, "unix:"); is && strings.HasPrefix(socket, "/") {
		path, _, _ := strings.Cut(socket, "?")
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}
		return &url.URL{Scheme: "http", Host: "localhost"}, &http.Transport{DialContext: dial, DisableKeepAlives: true}, nil
	}
	at, err := url.Parse(address)
	if err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
		return nil, nil, errAddress
	}
	return at, Direct, nil
}
