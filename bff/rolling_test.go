package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"coatcheck/bff/rig"
)

// front is a load balancer as strict as can be: it sends each call once, along a
// connection that it keeps, to a replica whose health path last said 204.
type front struct {
	*fleet
	healthy       [2]atomic.Bool
	calls, failed atomic.Int64
	over          chan struct{}
	work          sync.WaitGroup
}

// watch asks a replica's health path until the test is over.
func (f *front) watch(i int) {
	for {
		f.healthy[i].Store(rig.Status("http://"+f.replicas[i].host+"/healthz") == 204)
		select {
		case <-f.over:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// lane is one caller's kept connections, one for each replica.
type lane struct {
	conns   [2]net.Conn
	readers [2]*bufio.Reader
	used    [2]time.Time
}

// look forgets a connection that was closed while nobody used it, as any front does
// before it sends a call along one.
func (l *lane) look(at int) {
	if l.conns[at] == nil || time.Since(l.used[at]) < 100*time.Millisecond {
		return
	}
	// A deadline would not do: one that a busy machine lets pass is an error of its own,
	// and nothing is read.
	closed := false
	raw, err := l.conns[at].(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			n, _, err := syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			closed = n == 0 && err == nil
		})
	}
	if closed || err != nil {
		_ = l.conns[at].Close()
		l.conns[at] = nil
	}
}

// run calls until the test is over. Stubborn callers stay with a replica as long as
// their connection lives, healthy or not.
func (f *front) run(n int, p *person, stubborn bool) {
	var l lane
	at := n % 2
	for ; ; n++ {
		select {
		case <-f.over:
			return
		case <-time.After(5 * time.Millisecond): // a pace: the replicas need the machine, too
		}
		l.look(at) // before the choice: whose connection has ended chooses anew
		if kept := l.conns[at] != nil; !stubborn || !kept {
			at = n % 2
			if !f.healthy[at].Load() {
				at = 1 - at
			}
			l.look(at)
		}
		if err := f.call(&l, at, p); err != nil {
			f.failed.Add(1)
			f.Errorf("replica %d: %v", at, err)
			return
		}
	}
}

// call posts, because nobody may repeat a post.
func (f *front) call(l *lane, at int, p *person) error {
	host := f.replicas[at].host
	kept := l.conns[at] != nil
	if !kept {
		c, err := net.Dial("tcp", "127.0.0.1"+host[strings.LastIndexByte(host, ':'):])
		if err != nil {
			return err
		}
		l.conns[at], l.readers[at] = c, bufio.NewReader(c)
	}
	c := l.conns[at]
	_ = c.SetDeadline(time.Now().Add(2 * time.Minute))
	_, err := fmt.Fprintf(c, "POST /api/whoami HTTP/1.1\r\nHost: %s\r\nOrigin: http://%[1]s\r\nX-CSRF: 1\r\nCookie: %s\r\nContent-Length: 2\r\n\r\n{}", host, p.cookie)
	if err != nil {
		return fmt.Errorf("kept %v: %w", kept, err)
	}
	a, err := http.ReadResponse(l.readers[at], nil)
	if err != nil {
		return fmt.Errorf("kept %v: %w", kept, err)
	}
	body, err := io.ReadAll(a.Body)
	switch served := a.StatusCode == 200 && string(body) == p.email; {
	case err == nil && served:
		f.calls.Add(1)
	case err != nil || !isAway(reply{a.StatusCode, string(body), a.Header}): // away: the call was not lost, it was told
		return fmt.Errorf("%d %q %w", a.StatusCode, body, err)
	}
	l.used[at] = time.Now()
	if a.Close {
		l.conns[at] = nil
		return c.Close()
	}
	return nil
}

// restart ends a replica as a deployment does, and starts it again.
func (f *front) restart(i int) {
	r := f.replicas[i]
	_ = r.Process.Signal(syscall.SIGTERM)
	<-r.Exited
	if code := r.ProcessState.ExitCode(); code != 0 {
		f.Errorf("exit %d: %s", code, &r.Log)
	}
	r.Program = rig.Start(f.T, r.Env, r.Path, r.Args[1:]...)
	rig.Until(f.T, "health", func() bool { return f.healthy[i].Load() })
}

// TestRollingRestart: two replicas are replaced one after the other under load, with
// calls that nobody may repeat, and none is lost.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	f := front{over: make(chan struct{})}
	// A front on a busy machine, too, asks for the health path within the delay.
	text := strings.Replace(fleetConfig, "drain: {delay: 0s, timeout: 5s}", "drain: {delay: 15s, timeout: 10s}\nhealth_path: /healthz", 1)
	store := "redis://" + rig.Redis(t) + "/0"
	f.fleet = &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}, {}}, text: text}
	f.launch(func(*replica) string { return store })
	for i := range f.replicas {
		f.work.Go(func() { f.watch(i) })
		rig.Until(t, "health", func() bool { return f.healthy[i].Load() })
	}
	p := f.signIn(f.replicas[0], "ada")
	for n := range 16 {
		f.work.Go(func() { f.run(n, p, n%4 == 0) })
	}
	f.restart(0)
	f.restart(1)
	close(f.over)
	f.work.Wait()
	t.Logf("%d calls, %d lost", f.calls.Load(), f.failed.Load())
	if f.calls.Load() < 100 {
		t.Error("hardly any load")
	}
}
