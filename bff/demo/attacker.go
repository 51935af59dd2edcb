package demo

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coatcheck/web"
)

// evilHost is where the demo's attacker has its page: a sibling of the shop, on the
// same site, so that browsers send the shop's cookie with what it asks for.
const evilHost = "evil.coatcheck.localhost"

// evilCSP lets the attacker's page do to the shop whatever browsers let it. The rest
// is as strict as for the other pages.
func evilCSP(port string) string {
	shop, door := "http://shop.coatcheck.localhost:"+port, "http://programs.coatcheck.localhost:"+port
	return "default-src " + shop + "; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' " + shop +
		"; connect-src 'self' " + shop + " " + door + " " + strings.Replace(shop, "http", "ws", 1) + "; frame-src " + shop +
		"; form-action " + shop + "; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}

// serveEvil serves the attacker's page until the listener is closed, or ctx ends.
func serveEvil(ctx context.Context, at net.Listener, b *burglar) {
	files := http.FileServerFS(web.Evil())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /log", func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		lines, last := b.log.since(after)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"lines": lines, "last": last}) // the caller has left: nobody to tell
	})
	mux.HandleFunc("GET /stage", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]bool{"computer": b.prey != nil}) // as above
	})
	mux.HandleFunc("POST /try/{name}", func(w http.ResponseWriter, r *http.Request) {
		found, ok := b.try(r.Context(), r.PathValue("name"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(found) // as above
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", evilCSP(b.port))
		files.ServeHTTP(w, r)
	})
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(at) // the listener was closed
	_ = server.Close()
}
