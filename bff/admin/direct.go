package admin

import "net/http"

// Direct reaches an admin listener itself. The default transport would send the request,
// and the admin token, through a proxy that HTTP_PROXY names.
var Direct http.RoundTripper = &http.Transport{}
