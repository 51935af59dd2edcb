package routing

import "bytes"

// EndpointID names an address that Coatcheck answers itself.
type EndpointID int

// The endpoints.
const (
	Login EndpointID = iota
	Logout
	Session
	Sessions
	OneSession
	Client
	endpointCount
)

// EndpointCount is how many there are, for tables of handlers.
const EndpointCount = int(endpointCount)

// Endpoint is one of the addresses that Coatcheck answers itself, under /bff.
type Endpoint struct {
	ID EndpointID
	// Path below the frontend's base path. One that ends in "/" takes one more segment.
	Path string
	// Methods that it takes, and the same as a value of Allow.
	Methods []string
	Allow   string
}

// endpoints are all of them; whatever else lies under /bff is 404 and never proxied.
// Signing out is POST only, because browsers prefetch what GET links lead to.
var endpoints = []Endpoint{
	{Login, "/bff/login", []string{"POST"}, "POST"},
	{Logout, "/bff/logout", []string{"POST"}, "POST"},
	{Session, "/bff/session", []string{"GET", "HEAD", "POST"}, "GET, HEAD, POST"},
	{Sessions, "/bff/sessions", []string{"GET", "HEAD", "DELETE"}, "GET, HEAD, DELETE"},
	{OneSession, "/bff/sessions/", []string{"DELETE"}, "DELETE"},
	{Client, "/bff/client.js", []string{"GET", "HEAD"}, "GET, HEAD"},
}

// Endpoints are all endpoints, for references and tests.
func Endpoints() []Endpoint { return append([]Endpoint(nil), endpoints...) }

func findEndpoint(path []byte) *Endpoint {
	for i := range endpoints {
		e := &endpoints[i]
		takesSegment := e.Path[len(e.Path)-1] == '/'
		if string(path) == e.Path {
			if takesSegment {
				return nil // the segment is missing
			}
			return e
		}
		rest, ok := bytes.CutPrefix(path, []byte(e.Path))
		if ok && takesSegment && bytes.IndexByte(rest, '/') < 0 {
			return e
		}
	}
	return nil
}
