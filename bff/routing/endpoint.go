package routing

import "bytes"

// EndpointID names an address that Coatcheck answers itself.
type EndpointID int

// The endpoints.
const (
	Login EndpointID = iota
	Logout
	Callback
	ProviderLogout
	BackChannel
	Session
	Exchange
	Sessions
	OneSession
	Client
	endpointCount
)

// EndpointCount is how many there are, for tables of handlers.
const EndpointCount = int(endpointCount)

// Endpoint is one of the addresses that Coatcheck answers itself, under /bff.
type Endpoint struct {
	// ID names the endpoint in tables.
	ID EndpointID
	// Path below the frontend's base path. One that ends in "/" takes one more segment.
	Path string
	// Methods that it takes, and the same as a value of Allow.
	Methods []string
	Allow   string
}

// endpoints are all of them; whatever else lies under /bff is 404 and never proxied.
// Signing out is POST only, because browsers prefetch what GET links lead to. GET
// /bff/login and those of a provider are there for frontends with a provider only.
var endpoints = []Endpoint{
	{Login, "/bff/login", []string{"GET", "POST"}, "GET, POST"},
	{Logout, "/bff/logout", []string{"POST"}, "POST"},
	{Callback, "/bff/callback/", []string{"GET", "POST"}, "GET, POST"},
	{ProviderLogout, "/bff/logout/", []string{"GET"}, "GET"},
	{BackChannel, "/bff/backchannel-logout/", []string{"POST"}, "POST"},
	{Session, "/bff/session", []string{"GET", "HEAD", "POST"}, "GET, HEAD, POST"},
	{Exchange, "/bff/exchange/", []string{"POST"}, "POST"},
	{Sessions, "/bff/sessions", []string{"GET", "HEAD", "DELETE"}, "GET, HEAD, DELETE"},
	{OneSession, "/bff/sessions/", []string{"DELETE"}, "DELETE"},
	{Client, "/bff/client.js", []string{"GET", "HEAD"}, "GET, HEAD"},
}

// Endpoints are all endpoints, for references and tests.
func Endpoints() []Endpoint { return append([]Endpoint(nil), endpoints...) }

func (e *Endpoint) takesSegment() bool { return e.Path[len(e.Path)-1] == '/' }

func findEndpoint(path []byte) *Endpoint {
	for i := range endpoints {
		e := &endpoints[i]
		if string(path) == e.Path {
			if e.takesSegment() {
				return nil // the segment is missing
			}
			return e
		}
		rest, ok := bytes.CutPrefix(path, []byte(e.Path))
		if ok && e.takesSegment() && bytes.IndexByte(rest, '/') < 0 {
			return e
		}
	}
	return nil
}

// the sign-in without a provider, and with nothing else.
var (
	formLogin     = &Endpoint{Login, "/bff/login", []string{"POST"}, "POST"}
	providerLogin = &Endpoint{Login, "/bff/login", []string{"GET"}, "GET"}
)

// offered is the endpoint as a frontend offers it; nil: it does not.
func (f *Frontend) offered(e *Endpoint) *Endpoint {
	if e == nil {
		return nil
	}
	login := &f.Config.Login
	switch e.ID {
	case Login:
		switch {
		case len(login.Provider) == 0:
			return formLogin
		case len(login.Fields) == 0 && len(login.Ways) == 0:
			return providerLogin
		}
	case Exchange:
		if len(login.Exchanges) == 0 {
			return nil
		}
	case Callback, ProviderLogout, BackChannel:
		if len(login.Provider) == 0 {
			return nil
		}
	}
	return e
}
