package demo

import (
	"fmt"
	"net/http"
	"time"
)

// Bounds of one event stream.
const (
	maxEvents  = 3600
	fastestMS  = 20
	slowestMS  = 60_000
	usualEvery = 1000
)

// events sends one tick at once and then one per interval (WHATWG HTML §9.2),
// until the caller leaves or count is reached.
func (a *api) events(w http.ResponseWriter, r *http.Request, c caller) {
	every := time.Duration(number(r, "every", usualEvery, fastestMS, slowestMS)) * time.Millisecond
	count := number(r, "count", maxEvents, 1, maxEvents)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for n := 1; ; n++ {
		if !a.tick(w, n, c) || n == count {
			return
		}
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

// tick writes one event and says whether the caller still listens.
func (a *api) tick(w http.ResponseWriter, n int, c caller) bool {
	_, err := fmt.Fprintf(w, "id: %d\nevent: tick\ndata: {\"n\":%d,\"at\":%q,\"for\":%q}\n\n",
		n, n, a.now().UTC().Format(time.RFC3339), c.person.ID)
	return err == nil && http.NewResponseController(w).Flush() == nil
}
