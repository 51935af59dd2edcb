//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	people    = 24              // who do this and that, each at a pace of its own
	pace      = 12              // calls a second that each of them makes
	sampled   = 5 * time.Second // between two samples
	reloaded  = 30 * time.Second
	growth    = 1.2 // most that memory may have grown between the second fifth and the last
	moreFiles = 40  // files and goroutines move with what happens to be open
)

// soakConfig provokes what happens seldom: tokens that must be renewed every few
// seconds, and short limits.
const soakConfig = `listen: %q
admin: {listen: %q}
drain: {delay: 0s, timeout: 10s}
log: {level: warn}
sessions: {store: "redis://%s/0", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: http://%s
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user}
    refresh: {request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}, rejected: [401], before: 30s}
    logout: {request: {path: /logout, body: {refresh_token: "{refresh_token}"}}}
frontends:
  soak:
    origins: ["http://localhost:%s"]
    host: localhost
    login: {upstream: api, fields: [email, password], expose: [id]}
    throttle: {account: 1000000, address: 1000000}
    routes: [{path: /api/, upstream: api, websocket: true}]
`

// soak is a long mixed load on one process.
type soak struct {
	row
	admin  string
	origin string
	calls  atomic.Int64
	kinds  []atomic.Int64 // as doings
	mu     sync.Mutex
	faults map[string]int
}

// sample is what the process holds at one moment.
type sample struct{ kib, goroutines, files int }

// runSoak lets people sign in, call, upload, listen, sign out and misbehave for as
// long as is asked, and fails where an answer is wrong or the process grows.
func runSoak(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("soak", flag.ExitOnError)
	program := flags.String("bff", "./coatcheck", "the `program` under test")
	length := flags.Duration("for", 30*time.Minute, "how long")
	_ = flags.Parse(args) // exits
	b := bench{program: *program}
	if err := b.prepare(); err != nil {
		return err
	}
	defer b.end()
	s, err := b.startSoak()
	if err != nil {
		return err
	}
	until, cancel := context.WithTimeout(ctx, *length)
	defer cancel()
	var work sync.WaitGroup
	for range people {
		work.Go(func() { s.person(until) })
	}
	samples, err := s.watch(until)
	work.Wait()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.judge(samples)
}

func (b *bench) startSoak() (*soak, error) {
	if err := b.startRedis(); err != nil {
		return nil, err
	}
	api, err := free()
	if err != nil {
		return nil, err
	}
	p, err := b.start("api", "0-1", b.own, "api", "-listen", api, "-expires", "33")
	if err != nil {
		return nil, err
	}
	if err := p.listening(api); err != nil {
		return nil, err
	}
	s := &soak{faults: map[string]int{}, kinds: make([]atomic.Int64, len(doings))}
	if s.address, err = free(); err != nil {
		return nil, err
	}
	if s.admin, err = free(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(s.address)
	s.origin = "http://localhost:" + port
	file := filepath.Join(b.dir, "soak.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, soakConfig, s.address, s.admin, b.redis, api, port), 0o600); err != nil {
		return nil, err
	}
	if s.process, err = b.start("coatcheck", "0-1", b.program, "serve", "-config", file); err != nil {
		return nil, err
	}
	return s, s.listening(s.address)
}

// person does one thing after another until the end, signed in most of the time.
func (s *soak) person(ctx context.Context) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2, DisableCompression: true}}
	defer client.CloseIdleConnections()
	tick := time.NewTicker(time.Second / pace)
	defer tick.Stop()
	cookie := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if cookie == "" {
			var err error
			if cookie, err = signIn("http://" + s.address + "/bff/login"); err != nil {
				s.fault("sign-in", err)
			}
			continue
		}
		n := rand.IntN(len(doings))
		err := doings[n].do(s, client, cookie)
		if ctx.Err() != nil {
			return // the end cut it short
		}
		s.calls.Add(1)
		s.kinds[n].Add(1)
		if err != nil {
			s.fault(doings[n].name, err)
		}
		if doings[n].ends {
			cookie = ""
		}
	}
}

func (s *soak) fault(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[what+": "+err.Error()]++
}

// watch samples the process, reloads its configuration now and then, and says every
// minute how it is.
func (s *soak) watch(ctx context.Context) (all []sample, err error) {
	begun, said, loaded := time.Now(), time.Duration(0), time.Duration(0)
	fmt.Printf("%8s %10s %9s %11s %6s\n", "", "calls", "RSS MB", "goroutines", "files")
	for pause(ctx, sampled) == nil {
		now, err := s.sample()
		if err != nil {
			return nil, err
		}
		all = append(all, now)
		gone := time.Since(begun)
		if gone-loaded >= reloaded {
			loaded = gone
			if err := syscall.Kill(s.Process.Pid, syscall.SIGHUP); err != nil {
				return nil, err
			}
		}
		if gone-said >= time.Minute {
			said = gone
			fmt.Printf("%8s %10d %9.1f %11d %6d\n", gone.Round(time.Second), s.calls.Load(), float64(now.kib)/1024, now.goroutines, now.files)
		}
	}
	return all, nil
}

var goroutines = regexp.MustCompile(`(?m)^go_goroutines (\d+)`)

func (s *soak) sample() (sample, error) {
	kib, err := s.resident()
	if err != nil {
		return sample{}, err
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Process.Pid))
	if err != nil {
		return sample{}, err
	}
	answer, err := http.Get("http://" + s.admin + "/metrics")
	if err != nil {
		return sample{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return sample{}, err
	}
	found := goroutines.FindSubmatch(text)
	if found == nil {
		return sample{}, errors.New("no number of goroutines in the metrics")
	}
	n, err := strconv.Atoi(string(found[1]))
	return sample{kib, n, len(files)}, err
}

// judge compares the second fifth of the time with the last.
func (s *soak) judge(all []sample) error {
	fifth := len(all) / 5
	if fifth == 0 {
		return errors.New("too short to say anything")
	}
	middle := func(part []sample, of func(sample) int) int {
		var v []int
		for _, x := range part {
			v = append(v, of(x))
		}
		slices.Sort(v)
		return v[len(v)/2]
	}
	early, late := all[fifth:2*fifth], all[len(all)-fifth:]
	var faults []error
	for _, m := range []struct {
		name  string
		of    func(sample) int
		times float64
		more  int
	}{
		{"memory, KiB", func(x sample) int { return x.kib }, growth, 0},
		{"goroutines", func(x sample) int { return x.goroutines }, 1, moreFiles},
		{"files", func(x sample) int { return x.files }, 1, moreFiles},
	} {
		a, b := middle(early, m.of), middle(late, m.of)
		fmt.Printf("%-12s second fifth %7d, last fifth %7d\n", m.name, a, b)
		if float64(b) > float64(a)*m.times+float64(m.more) {
			faults = append(faults, fmt.Errorf("%s grew from %d to %d", m.name, a, b))
		}
	}
	var done []string
	for i := range doings {
		done = append(done, fmt.Sprintf("%s %d", doings[i].name, s.kinds[i].Load()))
	}
	fmt.Println(strings.Join(done, ", "))
	for text, n := range s.faults {
		faults = append(faults, fmt.Errorf("%d times %s", n, text))
	}
	return errors.Join(faults...)
}
