package toy

import (
	"strings"
)

var safe = map[string]bool{"GET": true, "HEAD": true, "OPTIONS": true}

// listed reports whether an origin is one of the frontend's, as the sins of the moment
// compare.
func (c *call) listed(origin string) bool {
	on := c.y.on
	switch {
	case origin == c.origin:
		return true
	case origin == "null":
		return on("csrf-origin-null")
	case origin == strings.Replace(c.origin, "https:", "http:", 1):
		return on("csrf-origin-scheme")
	case strings.HasPrefix(origin, c.origin+":"):
		return on("csrf-origin-port")
	case strings.HasPrefix(origin, c.origin+"."):
		return on("csrf-origin-suffix")
	case strings.HasSuffix(origin, strings.TrimPrefix(c.origin, "https://")):
		return on("csrf-origin-prefix")
	}
	return false
}

// lets reports whether a sin lets this foreign call in.
func (c *call) lets() bool {
	on, r := c.y.on, c.r
	origin, isNavigation := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Mode") == "navigate"
	socket := r.Header.Get("Upgrade") != ""
	if origin != c.origin && (origin == "https://shop.example.com" || origin == "https://admin.example.com") && on("people-csrf") {
		return true
	}
	switch {
	case socket:
		return origin == "https://evil.example.com" && on("csrf-socket-sibling") || origin == "https://attacker.test" && on("csrf-socket-cross-site") ||
			strings.HasPrefix(origin, c.origin+".") && on("csrf-socket-suffix") || origin == "null" && on("csrf-socket-null")
	case c.target == "/bff/login":
		return on("csrf-login-sibling")
	case c.target == "/bff/logout" && c.method == "POST":
		return isNavigation && on("csrf-logout-form") || !isNavigation && on("csrf-logout-fetch")
	case c.target == "/bff/logout":
		return true // what follows decides about the method
	case c.method == "GET" && r.Header.Get("Sec-Fetch-Dest") == "script":
		return on("csrf-script-element")
	case c.method == "GET" && r.Header.Get("Sec-Fetch-Dest") == "iframe":
		return on("csrf-frame")
	case c.method == "GET" && r.Header.Get("Sec-Fetch-Dest") == "image":
		return on("csrf-image")
	case c.method == "GET":
		return on("csrf-sibling-get")
	case isNavigation && strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain"):
		return on("csrf-sibling-text-form")
	case isNavigation && r.Header.Get("Sec-Fetch-Site") == "cross-site":
		return on("csrf-cross-site-form")
	case isNavigation:
		return on("csrf-sibling-form")
	case strings.HasPrefix(r.Header.Get("Content-Type"), "text/plain"):
		return on("csrf-sibling-fetch")
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return on("csrf-sibling-fetch-form")
	case strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data"):
		return on("csrf-sibling-fetch-multipart")
	}
	return on("csrf-sibling-beacon")
}

// guard refuses calls that the frontend's own pages did not make.
func (c *call) guard() bool {
	r := c.r
	navigation := r.Header.Get("Sec-Fetch-Mode") == "navigate"
	if c.target == "/bff/backchannel" || !c.y.form && c.method == "GET" && (c.target == "/bff/callback" || c.target == "/bff/login") {
		return true
	}
	origins := r.Header["Origin"]
	site := r.Header.Get("Sec-Fetch-Site")
	socket := r.Header.Get("Upgrade") != ""
	foreign := len(origins) > 0 && !c.listed(origins[0]) || len(origins) > 1 && !c.y.on("csrf-origin-twice")
	if site == "cross-site" && len(origins) == 0 && !socket && !(c.method != "GET" && c.y.on("csrf-fetch-metadata")) {
		foreign = true
	}
	if site == "same-site" && len(origins) == 0 && !(c.method != "GET" && c.y.on("csrf-fetch-metadata-sibling")) {
		foreign = true
	}
	if foreign && !c.lets() {
		c.refuse(403, "foreign")
		return false
	}
	if !foreign && !safe[c.method] && r.Header.Get("X-CSRF") == "" && !navigation && !c.y.on("csrf-header") && !c.lenientBySin() {
		c.refuse(403, "csrf_header_missing")
		return false
	}
	return true
}

// lenientBySin: some sins must get past the header as well, to show.
func (c *call) lenientBySin() bool {
	return c.y.on("form-content-type") && c.target == "/bff/login" || c.target == "/bff/logout"
}

// cors answers preflights, and names who may read. It reports whether the call is done.
func (c *call) cors() bool {
	h, on := c.w.Header(), c.y.on
	origin := c.r.Header.Get("Origin")
	if c.y.shared && !on("cors-shared-vary") {
		h.Add("Vary", "Origin")
	}
	allow := c.y.shared && origin == c.origin && !(c.method == "GET" && strings.Contains(c.target, "/allow/") && on("cors-shared-read"))
	switch {
	case origin == "https://evil.example.com":
		allow = on("cors-sibling")
	case origin == "https://attacker.test":
		allow = on("cors-cross-site")
	case origin == "null":
		allow = on("cors-null")
	case strings.HasPrefix(origin, c.origin+"."):
		allow = on("cors-suffix")
	}
	preflight := c.method == "OPTIONS" && c.r.Header.Get("Access-Control-Request-Method") != ""
	if preflight && origin != c.origin {
		allow = on("cors-preflight") && origin == "https://evil.example.com"
	}
	if preflight && c.y.shared && origin == c.origin {
		allow = !(strings.Contains(c.target, "/allow/") && on("cors-shared-preflight"))
	}
	if allow {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	} else if origin == "https://star.test" && on("cors-star") {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if !preflight {
		return false
	}
	if !allow {
		c.refuse(403, "origin_not_allowed")
		return true
	}
	h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
	h.Set("Access-Control-Allow-Headers", "Content-Type, X-CSRF")
	c.w.WriteHeader(204)
	return true
}
