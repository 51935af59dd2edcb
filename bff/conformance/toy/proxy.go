package toy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// proxied carries a call to the API.
func (c proxyCall) proxied() {
	err := accountCall(c).open()
	if strings.HasPrefix(c.ticket, "A") && strings.Trim(c.ticket, "A") == "" && len(c.ticket) > 999 && c.y.on("abuse-cookies") {
		c.refuse(500, "internal")
		return
	}
	switch {
	case err != nil && c.y.on("store-open"):
		c.forward("")
		return
	case err != nil && c.y.on("store-cookie"):
		accountCall(c).clearTicket()
		accountCall(c).away()
		return
	case err != nil && c.y.on("store-call"):
		c.refuse(401, "not_authenticated")
		return
	case err != nil:
		if c.y.on("store-back") {
			c.y.store.Mend()
			_ = c.y.store.drop(c.ticket)
			c.y.store.Cut()
		}
		accountCall(c).away()
		return
	}
	if c.y.form && c.closed() {
		c.refuse(404, "not_found")
		return
	}
	if c.session == nil {
		c.nobody()
		return
	}
	c.y.touch(c.ticket, time.Now())
	if c.session.useless() && !c.y.on("expiry-token") {
		c.refuse(map[bool]int{true: 502, false: 401}[c.y.on("expiry-token-status")], "session_ended")
		return
	}
	token, err := c.fresh()
	if err != nil {
		c.refuse(map[bool]int{true: 401, false: 502}[errors.Is(err, errRefused)], "session_ended")
		return
	}
	if c.r.Header.Get("Upgrade") != "" {
		c.tunnel(token)
		return
	}
	c.forward(token)
}

// nobody answers a call without a session.
func (c proxyCall) nobody() {
	switch {
	case c.y.on("sessions-anonymous-call"):
		c.forward("")
	case c.y.on("sessions-anonymous"):
		c.w.Header().Set("Location", "/bff/login")
		c.w.WriteHeader(302)
	default:
		c.refuse(401, "not_authenticated")
	}
}

// closed are the API's own sign-in paths, as lenient servers read them.
func (c proxyCall) closed() bool {
	plain, _ := url.PathUnescape(c.target)
	switch {
	case c.target == "/api/auth/login":
		return !c.y.on("form-closed")
	case c.target == "/api/auth/refresh":
		return !c.y.on("form-closed-refresh")
	case plain == "/api/auth/login":
		return !c.y.on("form-closed-encoded")
	case strings.EqualFold(plain, "/api/auth/login"):
		return !c.y.on("form-closed-case")
	case strings.Contains(plain, "//"):
		return !c.y.on("form-closed-slashes")
	case strings.Contains(plain, ";"):
		return !c.y.on("form-closed-parameter")
	}
	return false
}

// forward sends the call on and the answer back.
func (c proxyCall) forward(token string) {
	ctx := c.r.Context()
	if c.y.on("streams-gone") || c.y.on("streams-upload-cut") && strings.HasSuffix(c.target, "/cut") {
		ctx = context.Background()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if c.session != nil && !c.y.on("streams-signout") {
		c.y.onEnd(c.y.store.key(c.ticket), cancel)
	}
	defer c.atEnd("expiry-stream", cancel)()
	if c.y.on("expiry-idle-stream") && c.r.Header.Get("Accept") == "text/event-stream" {
		c.y.touch(c.ticket, time.Now().Add(time.Hour))
	}
	if c.y.on("people-mixed") && c.cached() {
		return
	}
	r, ok := c.outgoing(ctx, token)
	if !ok {
		return
	}
	got, err := c.y.send(r, c.y.on("headers-redirect"))
	if err != nil {
		c.unreachable(err, token)
		return
	}
	defer got.Body.Close()
	if got.StatusCode == 101 || got.StatusCode == 407 {
		c.refuse(502, "upstream_invalid")
		return
	}
	c.back(got)
}

func (c proxyCall) unreachable(err error, token string) {
	text := "upstream_unreachable"
	if c.y.on("tokens-error") {
		text += " with " + token
	}
	if c.y.on("headers-error-detail") {
		text += " " + err.Error() + " " + c.y.w.API.Address()
	}
	c.refuse(502, text)
}

// send is one call of the API along a connection of its own.
func (y *Toy) send(r *http.Request, follow bool) (*http.Response, error) {
	client := *y.client
	client.Timeout = 0
	if follow {
		client.CheckRedirect = nil
	}
	if y.on("framing-answer-extra") && strings.Contains(r.URL.Opaque, "/extra") {
		return y.careless(r)
	}
	return client.Do(r)
}

// careless reads an answer as far as the connection goes, and so keeps what was not
// asked for.
func (y *Toy) careless(r *http.Request) (*http.Response, error) {
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	_ = r.Write(conn)
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second)) // the API of the case ends it much sooner
	text, _ := io.ReadAll(conn)
	_, body, _ := strings.Cut(string(text), "\r\n\r\n")
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

// cached answers with what the API said to whoever asked before.
func (c proxyCall) cached() bool {
	if !strings.Contains(c.target, "/whose") {
		return false
	}
	c.y.mu.Lock()
	defer c.y.mu.Unlock()
	for line := range strings.SplitSeq(c.y.log.String(), "\n") {
		if owner, found := strings.CutPrefix(line, "cached "+c.target+" "); found {
			_, _ = io.WriteString(c.w, owner)
			return true
		}
	}
	c.y.log.WriteString("cached " + c.target + " " + c.session.Email + "\n")
	return false
}

// outgoing is the request as the API gets it.
func (c proxyCall) outgoing(ctx context.Context, token string) (*http.Request, bool) {
	target := c.target
	if target == "/api/line%0d%0ax" {
		target = "/api/line"
	}
	if c.y.on("paths-kept") && strings.Contains(target, "%c3") {
		target, _ = url.PathUnescape(target)
		target = (&url.URL{Path: target}).EscapedPath()
	}
	query := c.query
	if query != "" && c.y.on("paths-query") {
		values, _ := url.ParseQuery(query)
		query = values.Encode()
	}
	body, ok := c.incoming()
	if !ok {
		return nil, false
	}
	r, err := http.NewRequestWithContext(ctx, c.sentMethod(), c.y.w.API.URL(), body)
	if err != nil {
		c.refuse(400, "bad_request")
		return nil, false
	}
	r.URL.Opaque = target
	r.URL.RawQuery = query
	if n := c.r.ContentLength; n >= 0 && body == c.r.Body {
		r.ContentLength = n
	}
	c.headers(r, token)
	return r, true
}

func (c proxyCall) sentMethod() string {
	if other := c.r.Header.Get("X-HTTP-Method-Override"); other != "" && c.y.on("csrf-method-override") {
		return other
	}
	return c.method
}

// incoming is the body of the call; sins lose or make up something.
func (c proxyCall) incoming() (io.Reader, bool) {
	if c.r.ContentLength == 0 {
		return nil, true
	}
	if c.y.on("streams-upload-cut") && strings.HasSuffix(c.target, "/cut") {
		text, _ := io.ReadAll(c.r.Body)
		return bytes.NewReader(text), true
	}
	if c.y.on("streams-large-up") && c.r.ContentLength > 1<<20 {
		text, _ := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
		return bytes.NewReader(text), true
	}
	return c.r.Body, true
}

// cut ends what runs in sessions.
func (y *Toy) cut(keys []string) {
	y.mu.Lock()
	var ends []func()
	for _, key := range slices.Compact(keys) {
		ends = append(ends, y.streams[key]...)
		delete(y.streams, key)
	}
	y.mu.Unlock()
	for _, end := range ends {
		end()
	}
}

func (y *Toy) onEnd(key string, end func()) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.streams[key] = append(y.streams[key], end)
}

// tunnel carries a WebSocket.
func (c proxyCall) tunnel(token string) {
	up, err := net.Dial("tcp", c.y.w.API.Address())
	if err != nil {
		c.refuse(502, "upstream_unreachable")
		return
	}
	defer up.Close()
	down, buffered, err := c.w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	fmt.Fprintf(up, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", c.target, c.y.w.API.Address(), c.r.Header.Get("Sec-WebSocket-Key"))
	if !c.y.on("streams-socket") {
		fmt.Fprintf(up, "Authorization: Bearer %s\r\n", token)
	}
	_, _ = io.WriteString(up, "\r\n")
	if !c.y.on("streams-socket-signout") {
		c.y.onEnd(c.y.store.key(c.ticket), func() { _ = up.Close(); _ = down.Close() })
	}
	defer c.atEnd("expiry-socket", func() { _ = up.Close(); _ = down.Close() })()
	go func() { _, _ = io.Copy(up, buffered); _ = up.Close() }() // ends with the connections
	_, _ = io.Copy(down, up)
}
