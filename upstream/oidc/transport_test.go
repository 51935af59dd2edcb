package oidc_test

import "net/http"

// httptest.Server.Close closes the idle connections of the default transport. That would
// break a call of another test beside it, so the method is hidden.
func init() { http.DefaultTransport = struct{ http.RoundTripper }{http.DefaultTransport} }
