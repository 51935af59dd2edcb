package demo

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// Bounds of one WebSocket: how long it may live, how much one message may hold.
const (
	socketLife    = 10 * time.Minute
	maxSocketText = 4 << 10 // bytes
)

// socket sends every message back as it came, until one side leaves. Whose page
// opened it the API cannot know: that is for whoever stands in front of it.
func (a *api) socket(w http.ResponseWriter, r *http.Request, _ caller) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // answered already
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(maxSocketText)
	ctx, cancel := context.WithTimeout(r.Context(), socketLife)
	defer cancel()
	for {
		kind, message, err := c.Read(ctx)
		if err != nil {
			return
		}
		if c.Write(ctx, kind, message) != nil {
			return
		}
	}
}
