package main

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// expired signs people in whose tokens end at once, and waits until they have.
func (f *fleet) expired(people int) []*person {
	f.Helper()
	f.api.set(func(a *fleetAPI) { a.expiresIn = 1 })
	all := make([]*person, people)
	each(people, 16, func(i int) {
		a := f.served(func() (a reply) { all[i], a = f.trySignIn(f.replicas[i%2], fmt.Sprintf("p%d", i)); return a })
		if a.status != 200 {
			f.Errorf("sign-in of %s: %s", all[i].email, a)
		}
	})
	time.Sleep(1100 * time.Millisecond) // a token's end is a time, there is nothing else to wait for; longer does no harm
	return all
}

// holdAPI makes the API wait, in refreshes and slow calls that begin from now on, until
// release is called.
func (f *fleet) holdAPI() (release func()) {
	hold := make(chan struct{})
	release = sync.OnceFunc(func() { close(hold) })
	f.Cleanup(release)
	f.api.set(func(a *fleetAPI) { a.hold = hold })
	return release
}

// each runs do for 0 … n-1, some at once.
func each(n, atOnce int, do func(i int)) {
	var next atomic.Int64
	var work sync.WaitGroup
	for range min(n, atOnce) {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	work.Wait()
}

// TestFleetOneRefresh: 10 000 calls of one person at two replicas, with an expired
// token: the API is asked for one new token, and no call fails.
func TestFleetOneRefresh(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	f.api.set(func(a *fleetAPI) { a.slow = 300 * time.Millisecond })
	f.renewsOnce(10_000, 400, 1)
}

// TestFleetThousandRefreshes: each of 1 000 sessions is renewed once.
func TestFleetThousandRefreshes(t *testing.T) {
	t.Parallel()
	f := &fleet{T: t, api: newFleetAPI(t), replicas: make([]*replica, 2), text: strings.Replace(fleetConfig, "idle_timeout: 60s", "idle_timeout: 60m", 1)}
	redis := rig.Redis(t) // the first of a thousand may be called long after their sign-in
	for i := range f.replicas {
		f.replicas[i] = &replica{link: rig.NewLink(t, redis)}
	}
	f.launch(func(r *replica) string { return "redis://" + r.link.Addr() + "/0" })
	f.renewsOnce(4000, 200, 1000)
}

// TestFleetSlowTokenEndpoint: however long the API takes, within refresh.timeout, it
// is asked once and everybody waits for the answer.
func TestFleetSlowTokenEndpoint(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	for _, slow := range []time.Duration{50 * time.Millisecond, 3 * time.Second, 8 * time.Second} {
		f.api.set(func(a *fleetAPI) { a.slow = slow })
		f.renewsOnce(40, 40, 1)
	}
}

// renewsOnce lets calls of people whose tokens have ended come at both replicas, some at
// once: each person's token is renewed once, and no call fails. Where that is not so and a
// process stood still meanwhile, no lease promises anything: then it is tried once more.
func (f *fleet) renewsOnce(calls, atOnce, people int) {
	f.Helper()
	for !f.Failed() {
		all := f.expired(people)
		before, _, spent := f.api.count()
		var failed atomic.Value
		still := longestStandstill(f, func() {
			each(calls, atOnce, func(i int) { // at each replica in turn, and everybody at both
				r := f.replicas[i/min(people, 2)%2]
				if a := f.whoami(r, all[i%people]); a.status != 200 {
					failed.Store(fmt.Sprintf("%s\n%s", a, &r.Log))
				}
			})
		})
		begun, _, reuse := f.api.count()
		if begun == before+people && reuse == spent && failed.Load() == nil {
			return
		}
		if still < time.Second { // a lease lasts three, and is renewed every second
			f.Errorf("%d refreshes for %d people, %d with a spent token; a call that failed: %v", begun-before, people, reuse-spent, failed.Load())
		}
		f.Logf("a process stood still for %s", still)
	}
}

// longestStandstill is how long a replica and its store took at most to say that they are
// there, while do ran.
func longestStandstill(f *fleet, do func()) time.Duration {
	done, longest := make(chan struct{}), make([]time.Duration, len(f.replicas))
	var asking sync.WaitGroup
	for i, r := range f.replicas {
		asking.Go(func() {
			for {
				begun := time.Now()
				_ = rig.Status(r.admin + "/readyz")
				longest[i] = max(longest[i], time.Since(begun))
				select {
				case <-done:
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}
	do()
	close(done)
	asking.Wait()
	return slices.Max(longest)
}

// TestFleetHolderKilled: the process that was renewing is killed. The other goes on
// with the stored token, for the API had not yet spent it, and nobody is signed out.
func TestFleetHolderKilled(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	release := f.holdAPI()
	f.api.set(func(a *fleetAPI) { a.answer = 500 })
	go f.whoami(f.replicas[0], p) // ends with the process
	rig.Until(t, "a refresh", func() bool { begun, _, _ := f.api.count(); return begun == 1 })
	f.api.set(func(a *fleetAPI) { a.hold, a.answer = nil, 0 })
	_ = f.replicas[0].Process.Kill()
	<-f.replicas[0].Exited
	release()
	f.succeeds(f.replicas[1], p)
	if begun, refreshes, reuse := f.api.count(); begun != 2 || refreshes != 1 || reuse != 0 {
		t.Errorf("%d begun, %d made, %d with a spent token", begun, refreshes, reuse)
	}
}

// TestFleetHolderStalled: the process that renews is stopped past its lease, another
// goes on, and what the first one brings when it wakes up is thrown away.
func TestFleetHolderStalled(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	late := make(chan struct{})
	f.api.set(func(a *fleetAPI) { a.late = late })
	waiting := make(chan reply, 1)
	go func() { waiting <- f.whoami(f.replicas[0], p) }() // ends with its answer
	rig.Until(t, "a refresh", func() bool { begun, _, _ := f.api.count(); return begun == 1 })
	stalled := f.replicas[0].Process
	if err := stalled.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	f.api.set(func(a *fleetAPI) { a.late = nil })
	f.succeeds(f.replicas[1], p)
	close(late)
	if err := stalled.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	f.judge(<-waiting, p)
	for range 5 {
		for _, r := range f.replicas {
			f.judge(f.get(r, "/api/whoami", p), p)
		}
	}
	if begun, refreshes, reuse := f.api.count(); begun != 2 || refreshes != 1 || reuse != 0 {
		t.Errorf("%d begun, %d made, %d with a spent token", begun, refreshes, reuse)
	}
}

// TestFleetAnswerLost: the API spent the token and its answer was lost. No lock can
// help: the next call tries once more, is refused, and the session ends everywhere.
func TestFleetAnswerLost(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	f.api.set(func(a *fleetAPI) { a.lose = true })
	if a := f.whoami(f.replicas[0], p); a.status != 502 {
		t.Errorf("while the answer is lost: %s", a)
	}
	f.api.set(func(a *fleetAPI) { a.lose = false })
	for _, r := range slices.Backward(f.replicas[:]) { // the first may remember its session for near_cache
		rig.Until(t, "the end", func() bool { return f.get(r, "/api/whoami", p).status == 401 })
		if a := f.whoami(r, p); !strings.Contains(a.body, `"reason":"upstream"`) {
			t.Errorf("afterwards: %s", a)
		}
	}
	if begun, _, reuse := f.api.count(); begun != 2 || reuse != 1 {
		t.Errorf("%d begun, %d with a spent token", begun, reuse)
	}
}

// TestFleetOperatorsFault: an API that says 401 invalid_client, 429 or 500 to our
// refresh signs nobody out; a moment later the same ticket works.
func TestFleetOperatorsFault(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	for _, status := range []int{401, 429, 500} {
		f.api.set(func(a *fleetAPI) { a.answer = status })
		for _, r := range f.replicas {
			if a := f.whoami(r, p); a.status != 502 || a.header.Get("Set-Cookie") != "" {
				t.Errorf("refresh answers %d: %s", status, a)
			}
		}
	}
	f.api.set(func(a *fleetAPI) { a.answer = 0 })
	rig.Until(t, "recovery", func() bool { return f.get(f.replicas[0], "/api/whoami", p).body == p.email })
}

// TestFleetSignOutDuringRefresh: a token that arrives for a session that ended
// meanwhile brings nothing back, and is handed to the API's sign-out.
func TestFleetSignOutDuringRefresh(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	release := f.holdAPI()
	waiting := make(chan reply, 1)
	go func() { waiting <- f.whoami(f.replicas[0], p) }()
	rig.Until(t, "a refresh", func() bool { begun, _, _ := f.api.count(); return begun == 1 })
	f.signOut(f.replicas[1], p)
	release()
	if a := <-waiting; a.status != 401 {
		t.Errorf("the call that waited: %s", a)
	}
	for _, r := range f.replicas {
		if a := f.whoami(r, p); a.status != 401 {
			t.Errorf("afterwards: %s", a)
		}
	}
	rig.Until(t, "the orphaned token's sign-out", func() bool {
		f.api.mu.Lock()
		defer f.api.mu.Unlock()
		return strings.Contains(strings.Join(f.api.signedOut, " "), "rt2.")
	})
}

// TestFleetSignOutDuringCall: a slow call ends as it began; the next one is refused.
func TestFleetSignOutDuringCall(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.signIn(f.replicas[0], "ada")
	release := f.holdAPI()
	waiting := make(chan reply, 1)
	go func() { waiting <- f.served(func() reply { return f.get(f.replicas[0], "/api/slow", p) }) }()
	rig.Until(t, "the call at the API", func() bool {
		f.api.mu.Lock()
		defer f.api.mu.Unlock()
		return f.api.slowCalls == 1
	})
	f.signOut(f.replicas[0], p)
	release()
	if a := <-waiting; a.status != 200 && a.status != 401 && a.status != 0 || a.status == 200 && a.body != "ada" && a.body != "" {
		t.Errorf("the slow call: %s", a)
	}
	if a := f.whoami(f.replicas[0], p); a.status != 401 {
		t.Errorf("afterwards: %s", a)
	}
}

// TestFleetSignOutIsHonoured: by the other replica at most near_cache (1 s) after the
// 204, even when what is published does not arrive there.
func TestFleetSignOutIsHonoured(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	for name, spoilt := range map[string]rig.Fault{"messages arrive": {}, "messages do not arrive": {Mute: true}} {
		f.replicas[1].link.Set(spoilt)
		var slowest time.Duration
		for i := range 5 {
			slowest = max(slowest, f.honoured(f.signIn(f.replicas[0], fmt.Sprint("p", i))))
		}
		t.Logf("%s: %s at most", name, slowest)
		// near_cache: a call that was still served was judged later than it began, so no
		// slowness of ours counts against the promise.
		if slowest > time.Second {
			t.Errorf("%s: honoured after %s", name, slowest)
		}
	}
}

// honoured measures how long the second replica serves whom the first signed out.
func (f *fleet) honoured(p *person) time.Duration {
	f.Helper()
	f.succeeds(f.replicas[1], p)
	f.signOut(f.replicas[0], p)
	from := time.Now()
	last := from // when the last call that was still served had begun
	rig.Until(f.T, "a refusal", func() bool {
		begun := time.Now()
		a := f.get(f.replicas[1], "/api/whoami", p)
		if a.status == 200 {
			last = begun
		}
		return a.status == 401
	})
	return last.Sub(from)
}

// TestFleetStreamEnds: a stream at one replica ends after the sign-out at the other.
func TestFleetStreamEnds(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.signIn(f.replicas[0], "ada")
	q, _ := http.NewRequest("GET", "http://"+f.replicas[1].host+"/api/stream", nil)
	q.Header.Set("Cookie", p.cookie)
	q.Header.Set("X-CSRF", "1")
	a, err := sent(f.replicas[1].client, q)
	if err != nil || a.StatusCode != 200 {
		t.Fatal(a, err)
	}
	defer a.Body.Close()
	r := bufio.NewReader(a.Body)
	if line, err := r.ReadString('\n'); err != nil || line != "data: x\n" {
		t.Fatalf("%q, %v", line, err)
	}
	f.signOut(f.replicas[0], p)
	from := time.Now()
	for err = nil; err == nil && time.Since(from) < time.Minute; {
		_, err = r.ReadString('\n')
	}
	took := time.Since(from)
	t.Logf("ended after %s", took)
	if took > 15*time.Second { // what is promised when no message arrives; usually one does, in milliseconds
		t.Errorf("the stream went on for %s", took)
	}
}
