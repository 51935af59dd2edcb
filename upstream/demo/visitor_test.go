package demo_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"coatcheck/upstream/demo"
)

// lodge is a provider whose tokens are what the test says.
type lodge struct {
	mu   sync.Mutex
	live map[string]demo.Visitor
}

func (l *lodge) Introspect(token string) (demo.Visitor, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := l.live[token]
	return v, ok
}

func (l *lodge) Journal(session string, n int) []demo.ProviderEvent {
	return []demo.ProviderEvent{{N: n + 1, Kind: "token", Token: "of " + session}}
}

func (l *lodge) Issuer() string { return "http://id.example" }

func (l *lodge) set(token, subject, session string, ends time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.live[token] = demo.Visitor{Subject: subject, Session: session, Ends: ends}
}

func (l *lodge) drop(token string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, token)
}

// TestVisitors: a provider's token counts while the provider says so, for the person and
// the session that it names.
func TestVisitors(t *testing.T) {
	now := newClock()
	l := &lodge{live: map[string]demo.Visitor{}}
	api := start(t, demo.Options{Provider: l, Now: now.now})
	status := func(token string) int { return api.get("/api/me", token).status }
	l.set("a.one", "p-2001", "s", now.now().Add(time.Minute))
	l.set("b.one", "nobody", "t", now.now().Add(time.Minute))
	if got := api.get("/api/me", "a.one"); got.status != 200 || got.text("name") != "Radia Perlman" {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, token := range []string{"c.one", "b.one", "", "a.one.x"} {
		if got := status(token); got != 401 {
			t.Errorf("%q: %d", token, got)
		}
	}
	api.send("POST", "/api/expire", "a.one", "", "")
	if got := status("a.one"); got != 401 {
		t.Errorf("after its end: %d", got)
	}
	l.set("a.two", "p-2001", "s", now.now().Add(time.Minute))
	var seen struct {
		Entries  []noted
		Provider []demo.ProviderEvent
		Issuer   string
		Token    struct{ Refreshes int }
	}
	if answer := api.get("/api/echo", "a.two"); json.Unmarshal(answer.body, &seen) != nil || seen.Token.Refreshes != 1 {
		t.Errorf("%s", answer.body)
	}
	answer := api.get("/api/journal?after=0&provider=4", "a.two")
	if json.Unmarshal(answer.body, &seen) != nil || len(seen.Entries) != 4 || seen.Issuer != "http://id.example" ||
		len(seen.Provider) != 1 || seen.Provider[0] != (demo.ProviderEvent{N: 5, Kind: "token", Token: "of s"}) {
		t.Errorf("%s", answer.body)
	}
	if status("a.one") != 401 || status("a.two") != 200 {
		t.Error("the dead token lives, or the live one is dead")
	}
	now.move(2 * time.Minute)
	if status("a.two") != 401 {
		t.Error("a token outlives its end")
	}
	l.set("a.three", "p-2001", "s", now.now().Add(time.Minute))
	l.drop("a.three")
	if status("a.three") != 401 {
		t.Error("a token that the provider ended counts")
	}
}
