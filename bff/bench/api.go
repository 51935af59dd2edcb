//go:build linux

package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// serveAPI is an API for the measures that want more than a fixed answer: items, event
// streams that say something every second, an echo, a WebSocket, tokens that end.
func serveAPI(args []string) error {
	flags := flag.NewFlagSet("api", flag.ExitOnError)
	listen := flags.String("listen", "", "address")
	expires := flags.Int("expires", 36000, "seconds until a token ends")
	_ = flags.Parse(args) // exits
	mux := http.NewServeMux()
	tokens := fmt.Sprintf(`{"access_token":%q,"refresh_token":"again","expires_in":%d,"user":{"id":"1"}}`, token, *expires)
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		if text, _ := io.ReadAll(r.Body); bytes.Contains(text, []byte(`"wrong"`)) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(tokens)(w, r)
	})
	mux.HandleFunc("/refresh", answer(tokens))
	mux.HandleFunc("/logout", answer("{}"))
	mux.HandleFunc("/api/echo", func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	mux.HandleFunc("/api/socket", echoMessages)
	mux.HandleFunc("/api/1g", func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); n != gib {
			http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		}
	})
	mux.HandleFunc("/api/items", answer(body()))
	var came atomic.Int64
	mux.HandleFunc(slow, func(_ http.ResponseWriter, r *http.Request) {
		came.Add(1)
		<-r.Context().Done()
	})
	mux.HandleFunc(slowCalls, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, came.Load()) })
	mux.HandleFunc("/api/events", sayHello)
	return http.ListenAndServe(*listen, mux)
}

// answer is always the same JSON.
func answer(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, text)
	}
}

// echoMessages is a WebSocket that sends back what it gets.
func echoMessages(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	for kind, text, err := c.Read(r.Context()); err == nil; kind, text, err = c.Read(r.Context()) {
		if c.Write(r.Context(), kind, text) != nil {
			return
		}
	}
}

// sayHello is an event stream with one event a second.
func sayHello(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		if _, err := io.WriteString(w, "data: hello\n\n"); err != nil {
			return
		}
		w.(http.Flusher).Flush()
		if pause(r.Context(), time.Second) != nil {
			return
		}
	}
}
