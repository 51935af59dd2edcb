//go:build linux

package main

import (
	"context"
	"time"
)

// work is one kind of load. All proxies do the same work, in interleaved rounds.
type work struct {
	name, title string
	house       house
	rows        []string // besides near and plain
	most        float64  // near / plain; 0: no goal
	load        func(ctx context.Context, b *bench, r row, length time.Duration) (measure, error)
}

// house is how a proxy is set up for a work.
type house struct {
	door     bool // HTTPS to the browser
	api      bool // HTTPS to the API
	own      bool // this program is the API, not nginx
	callers  bool // programs call, too
	routes   int  // besides /api/
	database int  // of Redis
}

// usual is the work by which proxies are compared.
const usual = "1k"

var works = []work{
	{name: usual, title: "GET, 1 kB", rows: []string{"cold", "socket", "lua", "go", "haproxy", "caddy", "oauth2-proxy", "before"}, most: 1.4, load: wrk("/api/items", "")},
	{name: "8k", title: "GET, 8 kB", most: 1.2, load: wrk("/api/8k", "")},
	{name: "64k", title: "GET, 64 kB", load: wrk("/api/64k", "")},
	{name: "post", title: "POST, 1 kB", most: 1.4, load: wrk("/api/items", post)},
	{name: "https-api", title: "HTTPS to the API", house: house{api: true}, most: 1.3, load: wrk("/api/items", "")},
	{name: "https-door", title: "HTTPS at the door", house: house{door: true}, most: 1.25, load: wrk("/api/items", "")},
	{name: "2000/s", title: "2 000 calls a second", most: 1.6, load: atRate(2000)},
	{name: "10000/s", title: "10 000 calls a second", most: 1.6, load: atRate(10_000)},
	{name: "websocket", title: "WebSocket echo", house: house{own: true}, load: loaded("sockets")},
	{name: "1g-down", title: "1 GiB from the API", most: 0.7, load: curl("down")},
	{name: "1g-up", title: "1 GiB to the API", house: house{own: true}, most: 0.7, load: curl("up")},
	{name: "sign-ins", title: "sign-ins", load: loaded("sign-ins")},
}

// post is wrk's script for a POST of 1 kB.
const post = `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-CSRF"] = "1"
wrk.body = string.rep("x", 1024)
`

// only keeps those of the work's rows that were asked for. Nobody but Coatcheck signs in.
func (w *work) only(wanted map[string]bool, before bool) (rows []string) {
	for _, name := range append([]string{"near", "plain"}, w.rows...) {
		signsIn := name == "near" || name == "before"
		if wanted[name] && (name != "before" || before) && (w.name != "sign-ins" || signsIn) {
			rows = append(rows, name)
		}
	}
	return rows
}
