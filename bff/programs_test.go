package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// programsText is a configuration with people and programs.
func programsText() string {
	return strings.NewReplacer("frontends:\n", seenCallers+"  many: {keys: [], limit: {calls: 60, per: 1h, burst: 20}}\nfrontends:\n",
		"    routes:\n", "    routes:\n"+strings.NewReplacer("[robot, made]", "[robot, made, many]", "callers: [hook]", "callers: [hook], header_timeout: 2s").Replace(seenRoutes)).Replace(fleetConfig)
}

// programsFleet is two replicas over one Redis whose callers have keys made at run time.
func programsFleet(t *testing.T) *fleet {
	f := &fleet{T: t, api: newFleetAPI(t), replicas: [2]*replica{{}, {}}}
	f.text = programsText()
	addr := rig.Redis(t)
	f.launch(func(*replica) string { return "redis://" + addr + "/0" })
	return f
}

// TestRevokedOnOneReplica: a key made on one replica works on the other, and when it is
// revoked its calls are refused everywhere and its streams end within a second.
func TestRevokedOnOneReplica(t *testing.T) {
	t.Parallel()
	f := programsFleet(t)
	a, b := f.replicas[0], f.replicas[1]
	var key struct{ ID, Key string }
	if got := f.keys(a, "POST", "", `{"caller":"made"}`, &key); got != 201 {
		t.Fatalf("a new key: %d", got)
	}
	call := func(r *replica) int {
		return f.program(r, "GET", "/programs/x", "", "X-Api-Key", key.Key).StatusCode
	}
	for _, r := range f.replicas {
		rig.Until(t, "the key at every replica", func() bool { return call(r) == 200 })
	}
	q, _ := http.NewRequest("GET", "http://"+b.host+"/programs/stream", nil)
	q.Header.Set("X-Api-Key", key.Key)
	stream, err := b.client.Do(q)
	if err != nil || stream.StatusCode != 200 {
		t.Fatal(stream, err)
	}
	defer stream.Body.Close()
	ended := make(chan time.Time, 1)
	go func() { // ends with the stream
		_, _ = io.Copy(io.Discard, stream.Body)
		ended <- time.Now()
	}()
	if got := f.keys(a, "DELETE", "/"+key.ID, "", nil); got != 204 {
		t.Fatalf("revocation: %d", got)
	}
	if got := call(a); got != 401 {
		t.Errorf("where it was revoked: %d", got)
	}
	rig.Until(t, "a refusal at the other replica", func() bool { return call(b) == 401 })
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the key's stream goes on")
	}
	rig.Until(t, "a line of the key's end", func() bool { return strings.Contains(b.Log.String(), `"event":"key","outcome":"ended"`) })
}

// TestLimitOfTheFleet: two replicas together never let more through than the burst and
// the pace allow.
func TestLimitOfTheFleet(t *testing.T) {
	t.Parallel()
	f := programsFleet(t)
	var key struct{ ID, Key string }
	if got := f.keys(f.replicas[0], "POST", "", `{"caller":"many"}`, &key); got != 201 {
		t.Fatalf("a new key: %d", got)
	}
	for _, r := range f.replicas {
		rig.Until(t, "the key", func() bool { return f.program(r, "GET", "/programs/x", "", "X-Api-Key", key.Key).StatusCode != 401 })
	}
	begun := time.Now()
	var mu sync.Mutex
	passed, refused := 0, 0
	each(60, 10, func(i int) {
		got := f.program(f.replicas[i%2], "GET", "/programs/x", "", "X-Api-Key", key.Key).StatusCode
		mu.Lock()
		defer mu.Unlock()
		switch got {
		case 200:
			passed++
		case 429:
			refused++
		default:
			t.Errorf("status %d", got)
		}
	})
	if most := 20 + int(time.Since(begun)/time.Minute) + 1; passed > most || refused == 0 {
		t.Errorf("%d passed, at most %d may; %d refused", passed, most, refused)
	}
}

// TestKilledAtWork: an event whose replica was killed while the API worked on it is let
// in again, and not counted as done.
func TestKilledAtWork(t *testing.T) {
	t.Parallel()
	f := programsFleet(t)
	a, b := f.replicas[0], f.replicas[1]
	send := func(r *replica) *http.Response {
		q, _ := http.NewRequest("POST", "http://"+r.host+"/hooks/slow", strings.NewReader("{}"))
		mac := hmac.New(sha256.New, []byte("0123456789abcdef"))
		_, _ = mac.Write([]byte("event.{}"))
		q.Header.Set("X-Id", "event")
		q.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
		answer, err := r.client.Do(q)
		if err != nil {
			return nil
		}
		_ = answer.Body.Close()
		return answer
	}
	release := f.holdAPI()
	first := make(chan *http.Response, 1)
	go func() { first <- send(a) }() // ends with the replica
	rig.Until(t, "work on the event", func() bool { f.api.mu.Lock(); defer f.api.mu.Unlock(); return f.api.slowCalls > 0 })
	rig.Until(t, "a refusal while it is at work", func() bool { answer := send(b); return answer != nil && answer.StatusCode == 503 })
	_ = a.Process.Kill()
	<-a.Exited
	release()
	if answer := <-first; answer != nil {
		t.Errorf("the first call was answered: %d", answer.StatusCode)
	}
	rig.Until(t, "the event at the other replica", func() bool {
		answer := send(b)
		if answer != nil && answer.Header.Get("Coatcheck-Duplicate") != "" {
			t.Fatal("an event that nobody handled counts as done")
		}
		f.api.mu.Lock()
		defer f.api.mu.Unlock()
		return answer != nil && answer.StatusCode != 503 && f.api.slowCalls > 1
	})
}
