package toy

import (
	"io"
	"net/http"
	"strings"
)

// dropped are headers of the browser that never go to the API, with the promise's id.
var dropped = map[string]string{
	"X-Forwarded-Proto": "headers-forwarded-proto", "X-Forwarded-Host": "headers-forwarded-host", "Forwarded": "headers-forwarded",
	"X-Real-Ip": "headers-real-ip", "X-Original-Url": "headers-original-url", "X-Rewrite-Url": "headers-rewrite-url",
	"X-Http-Method-Override": "headers-method-override", "X-Forwarded-User": "headers-forwarded-user", "X-Forwarded-Email": "headers-forwarded-email",
	"X-Forwarded-Access-Token": "headers-forwarded-token", "X-Forwarded-Prefix": "headers-forwarded-prefix", "X-Client-Ip": "headers-client-ip",
	"True-Client-Ip": "headers-true-client-ip", "Cf-Connecting-Ip": "headers-cf-connecting-ip", "X-Original-Host": "headers-original-host", "Proxy": "headers-proxy",
	"Proxy-Authorization": "headers-proxy-authorization", "X-Forwarded-Port": "headers-forwarded-port", "X_forwarded_for": "headers-underscore",
	"X-Forwarded-Groups": "headers-forwarded-groups", "X-Middleware-Subrequest": "headers-middleware", "X-Accel-Internal": "headers-accel", "Via": "headers-via",
	"Keep-Alive": "framing-hop-by-hop", "Proxy-Connection": "framing-hop-by-hop", "Origin": "", "Referer": "", "X-Csrf": "",
	"X-Raw-Target": "", "X-Raw-Method": "", "X-Raw-Connection": "", "Connection": "", "Upgrade": "", "X-Forwarded-For": "",
}

// headers dresses the request for the API.
func (c proxyCall) headers(r *http.Request, token string) {
	on := c.y.on
	named := map[string]bool{}
	for name := range strings.SplitSeq(c.r.Header.Get("X-Raw-Connection"), ",") {
		named[http.CanonicalHeaderKey(strings.TrimSpace(name))] = true
	}
	for name, values := range c.r.Header {
		id, isDropped := dropped[name]
		switch {
		case isDropped && (id == "" || !on(id)),
			named[name] && !on("framing-connection-named") && name != "Authorization",
			name == "Cookie" && !on("tokens-cookie-sent"),
			name == "Authorization" && !on("tokens-browser-authorization"),
			strings.HasPrefix(name, "Sec-"):
			continue
		}
		r.Header[name] = values
	}
	forwarded := "127.0.0.1"
	if from := c.r.Header.Get("X-Forwarded-For"); from != "" && on("headers-forwarded-for") {
		forwarded = from
	}
	r.Header.Set("X-Forwarded-For", forwarded)
	if token != "" && r.Header.Get("Authorization") == "" && !(named["Authorization"] && on("framing-connection-token")) {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if on("tokens-refresh-sent") && c.session != nil {
		r.Header.Set("X-Refresh-Token", c.session.Refresh)
	}
	if c.target == "/api/x%0d%0aX-Injected:%20yes" || strings.Contains(c.target, "%0d%0a") {
		r.Header.Set("X-Injected", "yes")
	}
}

// kept are headers of the API that never reach the browser.
var kept = map[string]string{
	"Www-Authenticate": "headers-answer-challenge", "Clear-Site-Data": "headers-answer-clear", "Service-Worker-Allowed": "headers-answer-worker",
	"Strict-Transport-Security": "headers-answer-transport", "Alt-Svc": "headers-answer-service", "Refresh": "headers-answer-refresh",
	"X-Accel-Redirect": "headers-answer-accel", "X-Sendfile": "headers-answer-sendfile", "Server": "headers-answer-server", "X-Powered-By": "headers-answer-powered",
	"Nel": "headers-answer-nel", "Authorization": "tokens-answer-header", "Keep-Alive": "headers-answer-hop", "X-Mine": "headers-answer-named",
	"Connection": "", "Content-Length": "", "Transfer-Encoding": "", "Date": "",
	"Access-Control-Allow-Origin": "cors-api", "Access-Control-Allow-Credentials": "cors-api",
}

// back sends the API's answer to the browser.
func (c proxyCall) back(got *http.Response) {
	h, on := c.w.Header(), c.y.on
	for name, values := range got.Header {
		id, isKept := kept[name]
		if isKept && (id == "" || !on(id)) {
			continue
		}
		if name == "Set-Cookie" {
			for _, line := range values {
				own := strings.HasPrefix(line, c.y.cookieName(c.name)+"=")
				if own && on("cookies-api-session") || !own && on("headers-answer-cookie") {
					h.Add(name, line)
				}
			}
			continue
		}
		h[name] = values
	}
	c.isolate(h)
	c.cache(h)
	status := got.StatusCode
	if status == 401 && on("sessions-upstream-401") {
		h.Set("Location", "/bff/login")
		status = 302
	}
	if got.StatusCode == 401 && on("sessions-upstream-401-cookie") {
		accountCall(c).clearTicket()
	}
	c.body(got, status)
}

func (c proxyCall) isolate(h http.Header) {
	if !c.y.on("headers-nosniff") {
		h.Set("X-Content-Type-Options", "nosniff")
	}
	if strings.HasPrefix(h.Get("Content-Type"), "text/html") && !c.y.on("headers-html") {
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	}
	if !c.y.on("headers-resource-policy") {
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
	}
}

// cache narrows what caches may do with a person's answer.
func (c proxyCall) cache(h http.Header) {
	policy := h.Get("Cache-Control")
	switch {
	case strings.HasPrefix(h.Get("Content-Type"), "text/html") && policy == "" && !c.y.on("browser-back"):
		h.Set("Cache-Control", "private, no-store")
	case policy == "" && !c.y.on("caching-silent"):
		h.Set("Cache-Control", "private, no-cache")
	case strings.Contains(policy, "public") && c.y.on("caching-public"), strings.Contains(policy, "s-maxage") && c.y.on("caching-shared"):
	case policy != "":
		h.Set("Cache-Control", "private, max-age=60")
	}
	for _, name := range []string{"Surrogate-Control", "Cdn-Cache-Control"} {
		if !c.y.on("caching-surrogate") {
			h.Del(name)
		}
	}
	if !c.y.on("caching-vary") {
		h.Add("Vary", "Cookie")
	}
}

// body streams the answer's body. One that breaks off ends the connection.
func (c proxyCall) body(got *http.Response, status int) {
	if c.y.on("streams-events") && strings.HasPrefix(got.Header.Get("Content-Type"), "text/event-stream") {
		text, _ := io.ReadAll(got.Body)
		_, _ = c.w.Write(text)
		return
	}
	cut := got.ContentLength >= 0 && c.y.on("streams-cut") || got.ContentLength < 0 && c.y.on("streams-cut-chunked")
	if got.ContentLength >= 0 && !cut && !c.y.on("streams-large-down") {
		c.w.Header()["Content-Length"] = got.Header["Content-Length"]
	}
	c.w.WriteHeader(status)
	flush := func() { _ = http.NewResponseController(c.w).Flush() }
	flush()
	b := make([]byte, 32<<10)
	sent := 0
	for {
		n, err := got.Body.Read(b)
		if sent += n; sent > 1<<20 && c.y.on("streams-large-down") {
			return
		}
		_, _ = c.w.Write(b[:n])
		flush()
		if err == io.EOF {
			return
		}
		if err != nil {
			if cut {
				return
			}
			panic(http.ErrAbortHandler)
		}
	}
}
