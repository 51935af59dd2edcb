package main

import (
	"strings"
	"testing"
	"time"

	"coatcheck/bff/freeport"
	"coatcheck/bff/rig"
)

// redisFault is one thing that goes wrong between the replicas and their store.
type redisFault struct {
	name string
	with []string // arguments of redis-server

	begin, end func(f *fleet, addr string)

	// away says that calls must have been told so; served that all calls of the
	// whole time must have been answered.
	away, served bool

	// lasts is how long the fault goes on [2s].
	lasts time.Duration
}

func onLinks(spoilt rig.Fault) func(*fleet, string) {
	return func(f *fleet, _ string) {
		for _, r := range f.replicas {
			r.link.Set(spoilt)
		}
	}
}

func toRedis(args ...string) func(*fleet, string) {
	return func(f *fleet, addr string) { f.Helper(); rig.RedisDo(f.T, addr, args...) }
}

func commands(all ...func(*fleet, string)) func(*fleet, string) {
	return func(f *fleet, addr string) {
		for _, do := range all {
			do(f, addr)
		}
	}
}

var healthy = onLinks(rig.Fault{})

var redisFaults = []redisFault{
	{name: "latency 200ms", begin: onLinks(rig.Fault{Latency: 200 * time.Millisecond}), end: healthy, lasts: 4 * time.Second},
	{name: "latency 2s", begin: onLinks(rig.Fault{Latency: 2 * time.Second}), end: healthy, away: true, lasts: 5 * time.Second},
	{name: "latency 30s", begin: onLinks(rig.Fault{Latency: 30 * time.Second}), end: healthy, away: true, lasts: 6 * time.Second},
	{name: "half-open", begin: onLinks(rig.Fault{Stall: true}), end: healthy, away: true, lasts: 5 * time.Second},
	{name: "reset mid-reply", begin: onLinks(rig.Fault{Reset: true}), end: healthy, away: true},
	{name: "refused", begin: onLinks(rig.Fault{Refuse: true}), end: healthy, away: true},
	{name: "LOADING", begin: onLinks(rig.Fault{Word: "LOADING Redis is loading the dataset in memory"}), end: healthy, away: true},
	{name: "MASTERDOWN", begin: onLinks(rig.Fault{Word: "MASTERDOWN Link with MASTER is down"}), end: healthy, away: true},
	{name: "NOSCRIPT", begin: toRedis("SCRIPT", "FLUSH"), end: toRedis("SCRIPT", "FLUSH"), served: true, lasts: 7 * time.Second},
	{name: "OOM", begin: commands(toRedis("CONFIG", "SET", "maxmemory-policy", "noeviction"), toRedis("CONFIG", "SET", "maxmemory", "1")),
		end: toRedis("CONFIG", "SET", "maxmemory", "0"), served: true, lasts: 7 * time.Second},
	{name: "READONLY", begin: toRedis("REPLICAOF", "127.0.0.1", "1"), end: toRedis("REPLICAOF", "NO", "ONE"), served: true, lasts: 7 * time.Second},
	{name: "too many clients", begin: commands(toRedis("CONFIG", "SET", "maxclients", "1"), cutLinks), end: commands(rooms, healthy), away: true},
	{name: "connections killed", begin: cutLinks, end: cutLinks, served: false},
}

func cutLinks(f *fleet, _ string) {
	for _, r := range f.replicas {
		r.link.Cut()
	}
}

// rooms ends the fault of too many clients: its own connection needs room first.
func rooms(f *fleet, addr string) {
	onLinks(rig.Fault{Refuse: true})(f, addr)
	rig.Until(f.T, "room for one", func() bool { _, err := rig.TryRedis(addr, "CONFIG", "SET", "maxclients", "1000"); return err == nil })
}

// TestFaults: whatever happens to the store, calls are answered with the caller's own
// data or with 503, Retry-After and the cookie kept; nobody is signed out, and when
// the fault is over everything works again by itself, with the same ticket.
func TestFaults(t *testing.T) {
	for _, x := range redisFaults {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			for x.happens(t) && !t.Failed() {
				t.Log("a process stood still: once more")
			}
		})
	}
}

// happens lets the fault happen to a fleet. It reports whether calls were told that the store
// is away, though all should have been served, and a process stood still meanwhile: then the
// fault has to happen again.
func (x redisFault) happens(t *testing.T) (again bool) {
	addr := rig.Redis(t, x.with...)
	f := newFleet(t, addr, "")
	gone := f.signIn(f.replicas[0], "gone")
	f.signOut(f.replicas[0], gone)
	var away int64
	still := longestStandstill(f, func() {
		run := f.traffic(f.signIn(f.replicas[0], "ada"), f.signIn(f.replicas[1], "bob"))
		x.begin(f, addr)
		f.notBack(gone, max(x.lasts, 2*time.Second), func() bool { return !x.away || run.away.Load() > 0 })
		open := f.get(f.replicas[0], "/open/x", nil)
		x.end(f, addr)
		run.settle()
		if open.status != 200 {
			t.Errorf("a route without sessions: %s", open)
		}
		away = run.away.Load()
	})
	if a := f.whoami(f.replicas[1], gone); a.status != 401 {
		t.Errorf("the one who had signed out: %s", a)
	}
	f.signIn(f.replicas[0], "new")
	if !x.served || away == 0 {
		return false
	}
	if still < time.Second { // the store may be silent for two
		t.Errorf("%d calls were told that the store is away", away)
	}
	return true
}

// notBack lets the fault last, until seen, while someone who signed out keeps trying.
func (f *fleet) notBack(gone *person, lasts time.Duration, seen func() bool) {
	f.Helper()
	for end := time.Now().Add(lasts); time.Now().Before(end); {
		if a := f.get(f.replicas[0], "/api/whoami", gone); a.status != 401 && a.status != 503 {
			f.Errorf("the one who had signed out: %s", a)
		}
		time.Sleep(50 * time.Millisecond) // a pace, not a wait
	}
	rig.Until(f.T, "the fault to show", seen)
}

// TestFaultFull: a Redis that takes no more writes refuses sign-ins and renews no
// token, which the API is not asked for; calls and sign-outs go on.
func TestFaultFull(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	f := newFleet(t, addr, "")
	p, old := f.signIn(f.replicas[0], "ada"), f.expired(1)[0]
	rig.RedisDo(t, addr, "CONFIG", "SET", "maxmemory", "1")
	if _, a := f.trySignIn(f.replicas[0], "bob"); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("sign-in: %s", a)
	}
	if a := f.get(f.replicas[1], "/api/whoami", old); a.status != 503 {
		t.Errorf("a call that needs a new token: %s", a)
	}
	if begun, _, _ := f.api.count(); begun != 0 {
		t.Errorf("the API was asked for %d tokens that could not be kept", begun)
	}
	f.succeeds(f.replicas[1], p)
	f.signOut(f.replicas[0], p)
	rig.RedisDo(t, addr, "CONFIG", "SET", "maxmemory", "0")
	rig.Until(t, "a new token", func() bool { return f.get(f.replicas[0], "/api/whoami", old).body == old.email })
}

// TestFaultStoreGoneDuringRefresh: the store goes away while the API is making a new
// token, which has spent the old one. It is kept and stored when the store is back.
func TestFaultStoreGoneDuringRefresh(t *testing.T) {
	t.Parallel()
	f := newFleet(t, rig.Redis(t), "")
	p := f.expired(1)[0]
	release := f.holdAPI()
	waiting := make(chan reply, 1)
	go func() { // ends with the answer to the call that began the refresh
		var a reply
		whileAway(func() bool {
			a = f.get(f.replicas[0], "/api/whoami", p)
			begun, _, _ := f.api.count()
			return isAway(a) && begun == 0
		})
		waiting <- a
	}()
	rig.Until(t, "a refresh", func() bool { begun, _, _ := f.api.count(); return begun == 1 })
	onLinks(rig.Fault{Refuse: true})(f, "")
	release()
	if a := <-waiting; a.status != 503 || a.header.Get("Set-Cookie") != "" {
		t.Errorf("while the store is away: %s", a)
	}
	for _, r := range f.replicas { // the one that has the new token first: the other must not try the old one
		r.link.Set(rig.Fault{})
		rig.Until(t, "recovery", func() bool { return f.get(r, "/api/whoami", p).body == p.email })
	}
	if _, refreshes, reuse := f.api.count(); refreshes != 1 || reuse != 0 {
		t.Errorf("%d refreshes, %d with a spent token", refreshes, reuse)
	}
}

// TestFaultWrongPassword: the password changes in Redis, connections end, and the old
// one comes back.
func TestFaultWrongPassword(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	rig.RedisDo(t, addr, "ACL", "SETUSER", "cc", "on", ">right", "~*", "&*", "+@all")
	f := newFleet(t, addr, "cc:right@")
	run := f.traffic(f.signIn(f.replicas[0], "ada"))
	rig.RedisDo(t, addr, "ACL", "SETUSER", "cc", "resetpass", ">other")
	rig.RedisDo(t, addr, "CLIENT", "KILL", "USER", "cc")
	rig.Until(t, "the fault to show", func() bool { return run.away.Load() > 0 })
	rig.RedisDo(t, addr, "ACL", "SETUSER", "cc", ">right")
	run.settle()
	for _, r := range f.replicas {
		if strings.Contains(r.Log.String(), "right") {
			t.Error("the password is in the log")
		}
	}
}

// TestFaultAbsentAtStart: replicas start without their store, serve what needs none,
// and work when it comes.
func TestFaultAbsentAtStart(t *testing.T) {
	t.Parallel()
	port := freeport.Text(t)
	f := newFleet(t, "127.0.0.1:"+port, "")
	if _, a := f.trySignIn(f.replicas[0], "ada"); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("sign-in: %s", a)
	}
	if got := rig.Status(f.replicas[0].admin + "/readyz"); got != 503 {
		t.Errorf("readyz: %d", got)
	}
	if got := rig.Status(f.replicas[0].admin + "/readyz?exclude=store"); got != 200 {
		t.Errorf("readyz without the store: %d", got)
	}
	stray := &person{"ada", "__Host-app=" + strings.Repeat("A", 43)}
	if a := f.get(f.replicas[0], "/open/x", stray); a.status != 200 {
		t.Errorf("a route without sessions: %s", a)
	}
	rig.RedisAt(t, port, "--dir", t.TempDir())
	rig.Until(t, "a sign-in", func() bool { _, a := f.trySignIn(f.replicas[0], "ada"); return a.status == 200 })
	p := f.signIn(f.replicas[0], "ada")
	f.succeeds(f.replicas[1], p)
}

// TestFaultRestart: Redis is killed and started again with its data (the ticket works
// as before), then without (the session is over, and a new one can begin).
func TestFaultRestart(t *testing.T) {
	t.Parallel()
	port, dir := freeport.Text(t), t.TempDir()
	keep := []string{"--dir", dir, "--appendonly", "yes", "--appendfsync", "no"}
	server := rig.RedisAt(t, port, keep...)
	f := newFleet(t, "127.0.0.1:"+port, "")
	p := f.signIn(f.replicas[0], "ada")
	run := f.traffic(p)
	_ = server.Process.Kill()
	<-server.Exited
	rig.Until(t, "the fault to show", func() bool { return run.away.Load() > 0 })
	server = rig.RedisAt(t, port, keep...)
	run.settle()
	_ = server.Process.Kill()
	<-server.Exited
	rig.RedisAt(t, port, "--dir", t.TempDir())
	for _, r := range f.replicas {
		rig.Until(t, "the end of what was lost", func() bool { return f.get(r, "/api/whoami", p).status == 401 })
	}
	rig.Until(t, "a sign-in", func() bool { _, a := f.trySignIn(f.replicas[0], "ada"); return a.status == 200 })
	p = f.signIn(f.replicas[0], "ada")
	f.succeeds(f.replicas[1], p)
}

// TestFaultPoolExhausted: more calls wait for a slow Redis than there are connections
// to it. Some may be told that it is away; none is lost, and it passes.
func TestFaultPoolExhausted(t *testing.T) {
	t.Parallel()
	addr := rig.Redis(t)
	f := newFleet(t, addr, "")
	people := make([]*person, 150)
	each(len(people), 16, func(i int) {
		rig.Until(t, "a sign-in", func() bool { // on a busy machine the store may be called away
			p, a := f.trySignIn(f.replicas[0], "p"+strings.Repeat("x", i))
			people[i] = p
			return a.status == 200
		})
	})
	rig.RedisDo(t, addr, "CLIENT", "PAUSE", "1500", "ALL")
	each(len(people), len(people), func(i int) { f.judge(f.get(f.replicas[1], "/api/whoami", people[i]), people[i]) })
	for _, p := range people {
		rig.Until(t, "recovery", func() bool { ok, _ := f.judge(f.get(f.replicas[1], "/api/whoami", p), p); return ok })
	}
}
