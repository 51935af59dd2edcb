package demo

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Bounds of what programs leave behind here, and of what an event may hold.
const (
	maxArrivals  = 40
	maxEventBody = 8 << 10 // bytes
	arrivalsLife = 10 * time.Minute
)

// arrival is one call of a program as it came here. Who made it is what stands in front
// of the API says; the API itself sees the account's token and nothing else.
type arrival struct {
	N      int       `json:"n"`
	At     time.Time `json:"at"`
	Caller string    `json:"caller"`
	Key    string    `json:"key,omitempty"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Text   string    `json:"text"`
}

// arrivals is a bounded journal that can be waited for.
type arrivals struct {
	mu   sync.Mutex
	list []arrival
	n    int
	next chan struct{} // closed when something comes
}

func newArrivals() *arrivals { return &arrivals{next: make(chan struct{})} }

func (l *arrivals) add(a arrival) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.n++
	a.N = l.n
	l.list = append(l.list[max(0, len(l.list)-maxArrivals+1):], a)
	close(l.next)
	l.next = make(chan struct{})
}

// since returns what came after n, and what to wait for if that is nothing.
func (l *arrivals) since(n int) ([]arrival, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := slices.IndexFunc(l.list, func(a arrival) bool { return a.N > n })
	if first < 0 {
		return nil, l.next
	}
	return slices.Clone(l.list[first:]), l.next
}

// Outcome is what a program got.
type Outcome struct {
	// Program, Method and Path say who called what, Status what came.
	Program string `json:"program"`
	Method  string `json:"method"`
	Path    string `json:"path"`
	Status  int    `json:"status"`
	// Code of a refusal, RateLimit as it came.
	Code  string `json:"code,omitempty"`
	Limit string `json:"limit,omitempty"`
}

// Programs are those that the API's owner can set going from here: they stand outside,
// and call whatever they call over the network. Run knows them by name; ok is false for
// a name that it does not know.
type Programs interface {
	Run(ctx context.Context, name string) (outcomes []Outcome, ok bool)
}

// isRobot reports whether the account of programs calls.
func (a programAPI) isRobot(r *http.Request) bool {
	return a.robot != "" && subtle.ConstantTimeCompare([]byte(bearer(r)), []byte(a.robot)) == 1
}

func arrived(r *http.Request, text string, at time.Time) arrival {
	return arrival{At: at.UTC().Truncate(time.Millisecond), Caller: r.Header.Get("X-Caller"), Key: r.Header.Get("X-Caller-Key"),
		Method: r.Method, Path: r.URL.EscapedPath(), Text: text}
}

// orders are what a spreadsheet asks for. People who are signed in may see them too.
const orders = `order,date,item,amount
7001,2026-03-02,Loden coat,240.00
7002,2026-03-02,Umbrella,35.50
7003,2026-03-03,Top hat,89.00
7004,2026-03-05,Walking stick,62.00
7005,2026-03-06,Opera gloves,28.00
`

func (a programAPI) listOrders(w http.ResponseWriter, r *http.Request) {
	if a.isRobot(r) {
		a.arrivals.add(arrived(r, "5 orders went out", a.now()))
	} else if _, err := a.grants.caller(bearer(r)); err != nil {
		unknownToken(w)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, orders)
}

// phoneEvent takes what a phone provider posts.
func (a programAPI) phoneEvent(w http.ResponseWriter, r *http.Request) {
	if !a.isRobot(r) {
		unknownToken(w)
		return
	}
	var event struct{ Type, From, To string }
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEventBody)).Decode(&event) != nil {
		refuse(w, http.StatusBadRequest, "invalid_json")
		return
	}
	a.arrivals.add(arrived(r, fmt.Sprintf("%.40s from %.30s to %.30s", event.Type, event.From, event.To), a.now()))
	w.WriteHeader(http.StatusNoContent)
}

// watchPrograms sends what programs left here, and then what comes, as server-sent
// events.
func (a programAPI) watchPrograms(w http.ResponseWriter, r *http.Request) {
	if _, err := a.grants.caller(bearer(r)); err != nil {
		unknownToken(w)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, ": what programs do\n\n")
	_ = http.NewResponseController(w).Flush() // who has left is found below
	end := time.NewTimer(arrivalsLife)
	defer end.Stop()
	for n := 0; ; {
		list, more := a.arrivals.since(n)
		for _, one := range list {
			text, _ := json.Marshal(one) // text and numbers: cannot fail
			if _, err := fmt.Fprintf(w, "id: %d\nevent: arrival\ndata: %s\n\n", one.N, text); err != nil {
				return
			}
			n = one.N
		}
		_ = http.NewResponseController(w).Flush()
		select {
		case <-more:
		case <-end.C:
			return
		case <-r.Context().Done():
			return
		}
	}
}

// runProgram sets a program going.
func (a programAPI) runProgram(w http.ResponseWriter, r *http.Request, _ caller) {
	outcomes, ok := a.programs.Run(r.Context(), r.PathValue("name"))
	if !ok {
		refuse(w, http.StatusNotFound, "not_found")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"outcomes": outcomes})
}
