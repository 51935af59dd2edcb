package demo_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// running is a demo API on a real socket.
type running struct {
	t   *testing.T
	url string
}

func start(t *testing.T, o demo.Options) running {
	t.Helper()
	server := httptest.NewServer(demo.Handler(o))
	t.Cleanup(server.Close)
	return running{t, server.URL}
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

// value returns what stands under name in a JSON answer.
func (r reply) value(name string) any {
	var m map[string]any
	if json.Unmarshal(r.body, &m) != nil {
		return nil
	}
	return m[name]
}

func (r reply) text(name string) string {
	s, _ := r.value(name).(string)
	return s
}

func (a running) send(method, path, token, contentType, body string, extra ...string) reply {
	a.t.Helper()
	req, err := http.NewRequest(method, a.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		a.t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(extra); i += 2 {
		req.Header.Add(extra[i], extra[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, b}
}

func (a running) post(path, token string, v any) reply {
	a.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.send("POST", path, token, "application/json", string(b))
}

func (a running) get(path, token string) reply { return a.send("GET", path, token, "", "") }

// signIn returns the answer of a sign-in that must succeed.
func (a running) signIn(email string) reply {
	a.t.Helper()
	for _, p := range demo.People() {
		if p.Email == email {
			got := a.post("/auth/login", "", map[string]string{"email": p.Email, "password": p.Password})
			if got.status != http.StatusOK {
				a.t.Fatalf("sign-in of %s: %d %s", email, got.status, got.body)
			}
			return got
		}
	}
	a.t.Fatalf("%s is not one of the demo's people", email)
	return reply{}
}
