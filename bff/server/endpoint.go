package server

import (
	"bytes"
	"slices"
)

// endpoint is one of the addresses that Coatcheck answers itself, under /bff.
type endpoint struct {
	path    string // ends in "/": one more segment follows
	allow   string // for Allow and for preflights
	methods []string
	answer  func(*Server, *exchange) error
}

// endpoints are all of them; whatever else lies under /bff is 404 and never proxied.
// Signing out is POST only, because browsers prefetch what GET links lead to.
var endpoints = []endpoint{
	{"/bff/login", "POST", []string{"POST"}, (*Server).login},
	{"/bff/logout", "POST", []string{"POST"}, (*Server).logout},
	{"/bff/session", "GET, HEAD, POST", []string{"GET", "HEAD", "POST"}, (*Server).session},
	{"/bff/sessions", "GET, HEAD, DELETE", []string{"GET", "HEAD", "DELETE"}, (*Server).sessions},
	{"/bff/sessions/", "DELETE", []string{"DELETE"}, (*Server).endSession},
	{"/bff/client.js", "GET, HEAD", []string{"GET", "HEAD"}, (*Server).sendClient},
}

func findEndpoint(path []byte) *endpoint {
	for i := range endpoints {
		e := &endpoints[i]
		if string(path) == e.path {
			if e.path[len(e.path)-1] == '/' {
				return nil
			}
			return e
		}
		rest, ok := bytes.CutPrefix(path, []byte(e.path))
		if ok && e.path[len(e.path)-1] == '/' && bytes.IndexByte(rest, '/') < 0 {
			return e
		}
	}
	return nil
}

func allows(methods []string, method []byte) bool { return slices.Contains(methods, string(method)) }
