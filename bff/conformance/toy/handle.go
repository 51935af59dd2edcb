package toy

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// call is one request under way.
type call struct {
	y       *Toy
	w       http.ResponseWriter
	r       *http.Request
	name    string // of the frontend: shop or admin
	origin  string // of its pages
	target  string // as it came, without the query
	query   string
	method  string
	ticket  string
	session *session
	carried string // a ticket from before the way to the provider
}

// The methods of a call by what they are about: a person's account, the way to the provider
// and back, and calls to the API.
type (
	accountCall  struct{ *call }
	providerCall struct{ *call }
	proxyCall    struct{ *call }
)

// ServeHTTP implements [http.Handler]: it answers one request in the order of its checks.
func (y *Toy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := hex.DecodeString(r.Header.Get("X-Raw-Target"))
	target, query, _ := strings.Cut(string(raw), "?")
	c := &call{y: y, w: w, r: r, target: target, query: query, method: r.Header.Get("X-Raw-Method")}
	y.note(c.method + " " + target)
	y.logged(c)
	if strings.HasPrefix(target, "http://") {
		if !y.on("paths-absolute") {
			c.refuse(400, "bad_path")
			return
		}
		u, _ := url.Parse(target)
		c.target = u.Path
	}
	if c.method == "TRACE" {
		_ = r.Header.Write(w) // a sin: the cookie comes back
		return
	}
	if c.method == "CONNECT" {
		w.WriteHeader(200) // a sin: as if a tunnel stood
		return
	}
	if !c.path() {
		c.refuse(400, "bad_path")
		return
	}
	if !c.frontend() || c.cors() || !c.guard() {
		return
	}
	c.dispatch()
}

func (y *Toy) logged(c *call) {
	if y.on("tokens-logged-cookie") {
		y.note(c.r.Header.Get("Cookie"))
	}
}

func (c *call) refuse(status int, code string) {
	if c.w.Header().Get("Cache-Control") == "" {
		accountCall{c}.noStore("caching-refusal")
	}
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(status)
	_, _ = c.w.Write([]byte(`{"code":"` + code + `"}`))
}

// frontend finds out whose call it is.
func (c *call) frontend() bool {
	host := c.r.Host
	if forwarded := c.r.Header.Get("X-Forwarded-Host"); forwarded != "" && c.y.on("people-forwarded-host") {
		host = forwarded
	}
	switch {
	case c.y.shared && host == "api.example.com":
		c.name = "shop"
		if o := c.r.Header.Get("Origin"); o == "https://admin.example.com" {
			c.name = "admin"
		}
	case host == "shop.example.com":
		c.name = "shop"
	case host == "admin.example.com":
		c.name = "admin"
	case c.y.on("people-unknown-host"):
		c.name = "shop"
	default:
		c.refuse(421, "unknown_host")
		return false
	}
	c.origin = "https://" + c.name + ".example.com"
	return true
}

// hops are paths that another reader may take for something else, with the id of the
// promise to refuse them.
var hops = []struct {
	id  string
	has func(string) bool
}{
	{"paths-dots-encoded", contains("%2e%2e/")},
	{"paths-dots-half", contains(".%2e/")},
	{"paths-dots-slash", contains("..%2f")},
	{"paths-dots-parameter", contains("..;")},
	{"paths-backslash", contains(`\`)},
	{"paths-backslash-encoded", contains("%5c")},
	{"paths-overlong", contains("%c0%ae")},
	{"paths-nul", contains("%00")},
	{"paths-line-break", contains("%0d%0a")},
	{"paths-double-slash", func(p string) bool { return strings.HasPrefix(p, "//") }},
	{"paths-dots", func(p string) bool { return slices.Contains(strings.Split(p, "/"), "..") }},
}

func contains(part string) func(string) bool {
	return func(p string) bool { return strings.Contains(strings.ToLower(p), part) }
}

// path refuses what is not plain. A sin reads it as somebody else might.
func (c *call) path() bool {
	for _, hop := range hops {
		if !hop.has(c.target) {
			continue
		}
		if !c.y.on(hop.id) {
			return false
		}
		if hop.id == "paths-nul" || hop.id == "paths-line-break" {
			return true
		}
		text := strings.NewReplacer("%c0%ae", ".", `\`, "/", "..;", "..", "%5c", "/", "%5C", "/").Replace(c.target)
		if plain, err := url.PathUnescape(text); err == nil {
			text = plain
		}
		c.target = "/api/.." + path.Clean(text)
		return true
	}
	if strings.Contains(c.target, "%252e") && c.y.on("paths-dots-twice") {
		c.target = "/api/../internal/" + path.Base(c.target)
	}
	return true
}

// dispatch finds the endpoint.
func (c *call) dispatch() {
	switch {
	case c.target == "/bff/login" && c.method == "POST" && c.y.form:
		accountCall{c}.login()
	case c.target == "/bff/login" && c.method == "GET" && c.y.form && c.y.on("form-get"):
		accountCall{c}.login()
	case c.target == "/bff/login" && c.method == "GET" && !c.y.form:
		providerCall{c}.toProvider()
	case c.target == "/bff/callback" && c.method == "GET":
		providerCall{c}.callback()
	case c.target == "/bff/backchannel" && c.method == "POST":
		providerCall{c}.backChannel()
	case c.target == "/bff/me" && c.method == "GET":
		accountCall{c}.me()
	case c.target == "/bff/logout":
		accountCall{c}.logout()
	case strings.HasPrefix(c.target, "/api/"), strings.HasPrefix(c.target, "/api") && c.y.on("paths-prefix"):
		proxyCall{c}.proxied()
	default:
		c.refuse(404, "not_found")
	}
}
