package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// programsText is a configuration with people and programs.
func programsText() string {
	return strings.NewReplacer("\"http://localhost:${PORT_1}\"]", "\"http://localhost:${PORT_1:-2}\", \"http://localhost:${PORT_2:-1}\"]", "    logout:\n", seenAccount,
		"frontends:\n", seenCallers+"  many: {keys: [], limit: {calls: 60, per: 1h, burst: 20}}\nfrontends:\n",
		"    routes:\n", "    routes:\n"+strings.NewReplacer("[robot, made]", "[robot, made, many]", "callers: [hook]", "callers: [hook], header_timeout: 15s").Replace(seenRoutes)).Replace(fleetConfig)
}

// programsFleet is three replicas over the Redis whose address is returned; callers have
// keys made at run time.
func programsFleet(t *testing.T) (f *fleet, redis string) {
	f = &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}, {}, {}}}
	f.text = programsText()
	redis = rig.Redis(t)
	f.launch(func(*replica) string { return "redis://" + redis + "/0" })
	return f, redis
}

// newKey makes a key for a caller at run time, and waits until every replica knows it.
func (f *fleet) newKey(caller string) (id, key string) {
	f.Helper()
	var made struct{ ID, Key string }
	if got := f.keys(f.replicas[0], "POST", "", `{"caller":"`+caller+`"}`, &made); got != 201 {
		f.Fatalf("a new key: %d", got)
	}
	for _, r := range f.replicas { // its method is not allowed, so that nothing is counted
		rig.Until(f.T, "the key at every replica", func() bool { return f.program(r, "DELETE", "/programs/x", "", "X-Api-Key", made.Key).StatusCode != 401 })
	}
	return made.ID, made.Key
}

// nearCache bounds how long a revocation takes: sessions.near_cache, here its default.
const nearCache = time.Second

// TestRevokedOnOneReplica: a key made on one replica works on the others, and when it is
// revoked its calls are refused everywhere and its streams end: what begins a second
// after the revocation is refused.
func TestRevokedOnOneReplica(t *testing.T) {
	t.Parallel()
	f, _ := programsFleet(t)
	id, key := f.newKey("made")
	q, _ := http.NewRequest("GET", "http://"+f.replicas[1].host+"/programs/stream", nil)
	q.Header.Set("X-Api-Key", key)
	stream, err := sent(f.replicas[1].client, q)
	if err != nil || stream.StatusCode != 200 {
		t.Fatal(stream, err)
	}
	defer stream.Body.Close()
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, stream.Body); close(ended) }() // ends with the stream
	// 404: the store was called away, did it all the same, and was asked again.
	if got := f.keys(f.replicas[0], "DELETE", "/"+id, "", nil); got != 204 && got != 404 {
		t.Fatalf("revocation: %d", got)
	}
	revoked := time.Now()
	for i, r := range f.replicas {
		for { // a call that begins later than the bound must be refused, however busy the machine
			begun := time.Now()
			got := f.program(r, "GET", "/programs/x", "", "X-Api-Key", key)
			if got.StatusCode == 401 {
				break
			}
			if late := begun.Sub(revoked); !calledAway(got) && (i == 0 || got.StatusCode != 200 || late > nearCache) || late > 2*time.Minute {
				t.Fatalf("replica %d, %v after the revocation: %d", i, late, got.StatusCode)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the key's stream goes on")
	}
	rig.Until(t, "a line of the key's end", func() bool {
		return strings.Contains(f.replicas[1].Log.String(), `"event":"key","outcome":"ended"`)
	})
}

// TestLimitOfTheFleet: twenty clients over three replicas never get more through than the
// burst and the pace allow. A replica that asks the store in vain limits alone, and says so:
// then it is tried once more, with another fleet.
func TestLimitOfTheFleet(t *testing.T) {
	t.Parallel()
	for range 20 {
		f, _ := programsFleet(t)
		_, key := f.newKey("many")
		begun := time.Now()
		var passed, refused atomic.Int64
		each(120, 20, func(i int) {
			switch a := f.program(f.replicas[i%3], "GET", "/programs/x", "", "X-Api-Key", key); {
			case a.StatusCode == 200:
				passed.Add(1)
			case a.StatusCode == 429:
				refused.Add(1)
			case a.StatusCode != 503 || a.Header.Get("Coatcheck-Error") != "store_unavailable":
				t.Errorf("status %d", a.StatusCode)
			}
		})
		most := 20 + int64(time.Since(begun)/time.Minute) + 1
		s := seen{}
		s.scrape(f)
		if s["coatcheck_caller_limit_degraded_total"] > 0 && !t.Failed() {
			continue
		}
		if passed.Load() > most || refused.Load() == 0 {
			t.Errorf("%d passed, at most %d may; %d refused", passed.Load(), most, refused.Load())
		}
		return
	}
	t.Error("a replica limited alone in every try")
}

// TestThousandColdCalls: a thousand calls at three replicas that have just started are
// one sign-in of the account, and nothing in Redis opens its token or a key.
func TestThousandColdCalls(t *testing.T) {
	t.Parallel()
	var f *fleet
	var redis, key string
	for signIns := 0; signIns != 1 && !t.Failed(); {
		f, redis = programsFleet(t)
		_, key = f.newKey("made")
		still := longestStandstill(f, func() {
			each(1000, 60, func(i int) {
				whileAway(func() bool { // a busy machine's store may be late; the account is not
					status, code := f.asRobot(f.replicas[i%3], key)
					if status != 200 && code != "store_unavailable" {
						t.Errorf("%d %s", status, code)
					}
					return code == "store_unavailable"
				})
			})
		})
		f.api.set(func(a *fleetAPI) { signIns = a.n })
		if signIns != 1 && still < time.Second { // a lease lasts three, and is renewed every second
			t.Errorf("%d sign-ins", signIns)
		}
	}
	var secrets []string
	f.api.set(func(a *fleetAPI) {
		for token := range a.valid {
			secrets = append(secrets, token, a.current["robot"])
		}
	})
	dump := dumpOf(t, redis)
	if !strings.Contains(dump, "coatcheck:sa:{") || !strings.Contains(dump, "coatcheck:{keys}") {
		t.Errorf("neither the account nor the keys are there: %q", dump)
	}
	for _, secret := range append(secrets, key, key[5:]) {
		if strings.Contains(dump, secret) {
			t.Errorf("Redis holds %s", secret)
		}
	}
}

// asRobot makes a call whose account is robot's, and reads who the API saw.
func (f *fleet) asRobot(r *replica, key string) (status int, code string) {
	q, _ := http.NewRequest("GET", "http://"+r.host+"/programs/whoami", nil)
	q.Header.Set("X-Api-Key", key)
	a, err := r.client.Do(q)
	if err != nil {
		return 0, err.Error()
	}
	defer a.Body.Close()
	if body, _ := io.ReadAll(a.Body); a.StatusCode == 200 && string(body) != "robot" {
		f.Errorf("the API saw %q", body)
	}
	return a.StatusCode, a.Header.Get("Coatcheck-Error")
}

// dumpOf is every key and value of a Redis, as text.
func dumpOf(t *testing.T, addr string) string {
	t.Helper()
	var b strings.Builder
	for _, key := range rig.RedisDo(t, addr, "KEYS", "*").([]any) {
		fmt.Fprintln(&b, key)
		for _, command := range [][]string{{"GET"}, {"HGETALL"}, {"ZRANGE", "0", "-1"}} {
			if value, err := rig.TryRedis(addr, append([]string{command[0], key.(string)}, command[1:]...)...); err == nil {
				fmt.Fprintln(&b, value)
			}
		}
	}
	return b.String()
}

// TestOneCharacterOff: a mutation anywhere in a key is answered with the same bytes, and
// without a question to the store: it is the same while there is none.
func TestOneCharacterOff(t *testing.T) {
	t.Parallel()
	port := freeport.Text(t)
	redis := rig.RedisAt(t, port, "--dir", t.TempDir())
	f := &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}}, text: programsText()}
	f.launch(func(*replica) string { return "redis://127.0.0.1:" + port + "/0" })
	_, key := f.newKey("made")
	answers := map[string]bool{}
	for _, away := range []bool{false, true} {
		if away {
			_ = redis.Process.Kill()
			<-redis.Exited
			rig.Until(t, "a right key that needs the store", func() bool {
				return f.program(f.replicas[0], "GET", "/programs/x", "", "X-Api-Key", key).StatusCode == 503
			})
		}
		for i := range key {
			wrong := []byte(key)
			wrong[i] = map[bool]byte{true: 'x', false: 'y'}[wrong[i] != 'x']
			answers[f.wrongKey(string(wrong))] = true
		}
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers: %v", len(answers), answers)
	}
	for answer := range answers {
		if !strings.HasPrefix(answer, "401 ") || !strings.Contains(answer, "caller_unknown") {
			t.Error(answer)
		}
	}
}

// wrongKey calls with a wrong key and returns the answer, but for what tells calls apart.
func (f *fleet) wrongKey(key string) string {
	f.Helper()
	q, _ := http.NewRequest("GET", "http://"+f.replicas[0].host+"/programs/x", nil)
	q.Header.Set("X-Api-Key", key)
	a, err := f.replicas[0].client.Do(q)
	if err != nil {
		f.Fatal(err)
	}
	defer a.Body.Close()
	body, _ := io.ReadAll(a.Body)
	id := a.Header.Get("X-Request-Id")
	a.Header.Del("Date")
	return strings.ReplaceAll(fmt.Sprint(a.StatusCode, " ", a.Header, string(body)), id, "ID")
}

// event sends a signed event; nil: no answer came.
func (f *fleet) event(r *replica, path, id string) *http.Response {
	q, _ := http.NewRequest("POST", "http://"+r.host+"/hooks/"+path, strings.NewReader("{}"))
	mac := hmac.New(sha256.New, []byte("0123456789abcdef"))
	_, _ = mac.Write([]byte(id + ".{}"))
	q.Header.Set("X-Id", id)
	q.Header.Set("X-Signature", hex.EncodeToString(mac.Sum(nil)))
	answer, err := r.client.Do(q)
	if err != nil {
		return nil
	}
	_ = answer.Body.Close()
	return answer
}

// TestOnceInTheFleet: an event that comes many times at three replicas reaches the API
// once.
func TestOnceInTheFleet(t *testing.T) {
	t.Parallel()
	f, _ := programsFleet(t)
	var again atomic.Int64
	each(60, 20, func(i int) {
		switch a := f.event(f.replicas[i%3], "event", fmt.Sprint("event ", i%2)); {
		case a == nil || a.StatusCode != 200 && a.StatusCode != 503:
			t.Errorf("%+v", a)
		case a.Header.Get("Coatcheck-Duplicate") != "":
			again.Add(1)
		}
	})
	for i, r := range f.replicas {
		rig.Until(t, "the word that it was handled already", func() bool { // 503: the store is away for a moment
			a := f.event(r, "event", fmt.Sprint("event ", i%2))
			if a == nil || a.StatusCode != 503 && a.Header.Get("Coatcheck-Duplicate") != "true" {
				t.Fatalf("replica %d: %+v", i, a)
			}
			return a.StatusCode != 503
		})
	}
	f.api.set(func(a *fleetAPI) {
		if a.events != 2 {
			t.Errorf("the API saw %d events, want 2; %d were told of a duplicate", a.events, again.Load())
		}
	})
}

// TestKilledAtWork: an event whose replica was killed while the API worked on it is let
// in again, and not counted as done.
func TestKilledAtWork(t *testing.T) {
	t.Parallel()
	f, _ := programsFleet(t)
	a, b := f.replicas[0], f.replicas[1]
	send := func(r *replica) *http.Response { return f.event(r, "slow", "event") }
	release := f.holdAPI()
	first := make(chan *http.Response, 1)
	go func() { // ends with the replica
		var answer *http.Response
		whileAway(func() bool { answer = send(a); return answer != nil && answer.StatusCode == 503 })
		first <- answer
	}()
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
