package forward_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"coatcheck/upstream/forward"
)

// Two people call through one forwarder, at once, over an API that misbehaves in
// every way we know. Each may get errors; neither may get a byte that was meant
// for the other, and every answer that is called whole is one's own.
func TestTwoPeople(t *testing.T) {
	head := "HTTP/1.1 %d Word\r\nX-For: %s\r\n"
	// Each fault gets the path of the call it answers; whatever it says carries it.
	faults := map[string]func(p *wirePeer, who string){
		"unasked 101": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 101, who) + "Upgrade: x\r\nConnection: upgrade\r\n\r\n" + ok(who))
		},
		"101, the answer later": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 101, who) + "\r\n")
			time.Sleep(time.Millisecond) // here and below: a segment of its own, mostly; nothing that must hold depends on it
			p.say(ok(who))
		},
		"103 in its own segment": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 103, who) + "\r\n")
			time.Sleep(time.Millisecond)
			p.say(ok(who))
		},
		"103 and 100 and 103": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head+"\r\n"+head+"\r\n"+head+"\r\n", 103, who, 100, who, 103, who) + ok(who))
		},
		"an answer behind the answer":  func(p *wirePeer, who string) { p.say(ok(who) + ok(who+" extra")) },
		"bytes behind the answer":      func(p *wirePeer, who string) { p.say(ok(who) + who) },
		"an answer behind a large one": func(p *wirePeer, who string) { p.say(ok(strings.Repeat(who, 10<<10)) + ok(who+" extra")) },
		"an answer behind chunks": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 200, who) + "Transfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(who), who) + ok(who+" extra"))
		},
		"body on 204": func(p *wirePeer, who string) { p.say(fmt.Sprintf(head, 204, who) + "\r\n" + ok(who)) },
		"body on 204, later": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 204, who) + "\r\n")
			time.Sleep(2 * time.Millisecond)
			p.say(ok(who))
		},
		"body on 304, later": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 304, who) + "\r\n")
			time.Sleep(2 * time.Millisecond)
			p.say(ok(who))
		},
		"two lengths": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 200, who) + "Content-Length: 1\r\n" + ok(who)[17:])
		},
		"length too short": func(p *wirePeer, who string) { p.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + who + ok(who)) },
		"length too long": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + who)
			p.finish()
		},
		"huge length": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + who)
			p.finish()
		},
		"length and chunked": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 200, who) + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ok(who))
		},
		"folded line": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n" + ok(who))
		},
		"bare LF": func(p *wirePeer, who string) { p.say("HTTP/1.1 200 OK\nContent-Length: 0\n\n" + ok(who)) },
		"reset inside a body": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + who)
			p.reset()
		},
		"reset before the answer": func(p *wirePeer, _ string) { p.reset() },
		"reset in a body by end":  func(p *wirePeer, who string) { p.say("HTTP/1.1 200 OK\r\n\r\n" + who); p.reset() },
		"garbage":                 func(p *wirePeer, who string) { p.say("\x00\xff" + who + "\r\n\r\n" + ok(who)) },
		"garbage in chunks": func(p *wirePeer, who string) {
			p.say(fmt.Sprintf(head, 200, who) + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + ok(who))
		},
		"status 000": func(p *wirePeer, who string) { p.say("HTTP/1.1 000 X\r\n\r\n" + ok(who)) },
		"status 999": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n" + ok(who))
		},
		"status 1000": func(p *wirePeer, who string) {
			p.say("HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n" + ok(who))
		},
		"an answer unasked, then closed": func(p *wirePeer, who string) { p.say(ok(who) + ok(who)); p.finish() },
	}
	for name, fault := range faults {
		for _, conns := range []int{1, 2, 0} { // 0: as many as they like
			t.Run(fmt.Sprint(name, conns), func(t *testing.T) {
				t.Parallel()
				misbehave(t, fault, conns)
			})
		}
	}
}

// misbehave lets two people call, over an API that commits the fault at every third call
// of a connection. What is promised holds where the API says what it says late within the
// rest of a connection. A busy machine may keep it from that: then once more.
func misbehave(t *testing.T, fault func(p *wirePeer, who string), conns int) {
	eventually(t, "the API says everything in time", func() bool {
		var longest atomic.Int64
		api := serveWire(t, func(p *wirePeer) {
			n := p.index % 2
			for r := p.request(); r != nil; r = p.request() {
				if n++; n%3 == 2 {
					begun := time.Now()
					fault(p, r.URL.Path)
					took := int64(time.Since(begun))
					for l := longest.Load(); took > l && !longest.CompareAndSwap(l, took); l = longest.Load() {
					}
					continue
				}
				p.say(ok(r.URL.Path))
			}
		})
		f := newForwarder(t, api, func(o *forward.Options) { o.MaxConns, o.Dialer.Timeout = conns, time.Minute })
		mixed := twoPeople(f)
		f.Close()
		eventually(t, "the API has said all", func() bool { return api.connections() == 0 })
		if time.Duration(longest.Load()) >= rest {
			return false
		}
		for _, m := range mixed {
			t.Error(m)
		}
		return true
	})
}

// twoPeople lets two people call, and returns what one got of the other.
func twoPeople(f *forward.Forwarder) (mixed []string) {
	var mu sync.Mutex
	var people sync.WaitGroup
	for _, person := range []string{"/ann", "/bob"} {
		people.Go(func() {
			for i := range 40 {
				if m := oneCall(f, []string{"GET", "POST", "HEAD"}[i%3], fmt.Sprintf("%s-%03d;", person, i)); m != "" {
					mu.Lock()
					mixed = append(mixed, m)
					mu.Unlock()
				}
			}
		})
	}
	people.Wait()
	return mixed
}

// oneCall makes one call, and returns what came back if that is another's, or another
// call's.
func oneCall(f *forward.Forwarder, method, path string) string {
	got := do(f, newCall(method, path))
	if strings.ReplaceAll(got.body, path, "") != "" && !strings.HasPrefix(path, got.body) && got.whole {
		return fmt.Sprintf("%s %s got %v", method, path, got)
	}
	for _, other := range strings.FieldsFunc(got.body+"\n"+got.fields, func(r rune) bool { return r == ';' || r == '\n' }) {
		if i := strings.LastIndex(other, "/"); i >= 0 && !strings.HasPrefix(path, other[i:]) {
			return fmt.Sprintf("%s %s got %q, another's", method, path, other[i:])
		}
	}
	return ""
}

// Lengths that nobody has the memory for cost none.
func TestHugeLengthCostsNothing(t *testing.T) {
	api := serveWire(t, func(p *wirePeer) {
		for p.request() != nil {
			p.say("HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nhello")
		}
	})
	f := newForwarder(t, api)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		var ans forward.Response
		if err := f.Do(newCall("GET", "/"), &ans); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(&ans, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		_ = ans.Close()
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}
