package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/http1"
	"coatcheck/bff/problem"
	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// byHand is [Host.choose] without an index, for calls that sign nobody in: what the
// documentation says, one frontend after the other.
func byHand(h *Host, r *Request, path []byte) (*Frontend, *problem.Problem) {
	left := slices.Clone(h.Frontends)
	keep := func(f func(*Frontend) bool) {
		left = slices.DeleteFunc(left, func(x *Frontend) bool { return !f(x) })
	}
	name, named := r.Head.Get("x-frontend")
	switch _, fetch := r.Head.Get("sec-fetch-site"); {
	case r.Origins > 0:
		door := func(f *Frontend) bool { return f.Config.IsDoor() && f.route(path) != nil }
		exact := func(f *Frontend) bool { return r.Origins == 1 && f.listsExactly(r.Origin) }
		pattern := func(f *Frontend) bool { return r.Origins == 1 && f.listsByPattern(r.Origin, r.Host) }
		switch {
		case slices.ContainsFunc(left, exact):
			keep(exact)
		case slices.ContainsFunc(left, pattern):
			keep(pattern)
		default:
			keep(door)
		}
		if len(left) == 0 {
			return nil, problem.OriginNotAllowed
		}
	case fetch == 0 && named > 0:
		keep(func(f *Frontend) bool { return named == 1 && f.Name == string(name) })
	}
	if len(left) > 1 {
		longest := -1
		for _, f := range left {
			if under(path, f.Base) {
				longest = max(longest, len(f.Base))
			}
		}
		keep(func(f *Frontend) bool { return under(path, f.Base) && len(f.Base) == longest })
	}
	if len(left) > 1 {
		keep(func(f *Frontend) bool { r := f.route(path); return r != nil && r.takesStrangers() })
	}
	if len(left) != 1 {
		return nil, problem.FrontendUndetermined
	}
	return left[0], nil
}

// somebody makes a host of up to n frontends, whose properties meet often.
func somebody(random *rand.Rand, n int) *Host {
	h := &Host{}
	for i := range 1 + random.IntN(n) {
		f := &Frontend{Name: fmt.Sprintf("f%02d", i), Config: &configs.Frontend{Host: "api.example.com"},
			Base: []string{"", "/a", "/a/b", "/ab", "/c"}[random.IntN(5)]}
		for range random.IntN(3) {
			f.Origins = append(f.Origins, fmt.Sprintf("https://%c.example.com", 'a'+random.IntN(4)))
		}
		if random.IntN(4) == 0 {
			f.Patterns = []rule.Pattern{{Scheme: "https", Base: "example.com"}}
		}
		if len(f.Origins)+len(f.Patterns) > 0 {
			f.Config.Origins = []string{"some"} // or it would be a door
		}
		f.index = newRouteIndex([]*Route{{Prefix: f.Base + "/x/", Config: &configs.Route{Guard: random.IntN(2) == 0}}})
		h.Frontends = append(h.Frontends, f)
	}
	h.share()
	return h
}

// TestSharedHost: the index of a shared host finds whom a look at each frontend finds, or
// refuses for the same reason.
func TestSharedHost(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	found := 0
	for i := range 10_000 {
		h := somebody(random, 12)
		var text strings.Builder
		text.WriteString("GET / HTTP/1.1\r\nHost: api.example.com\r\n")
		for range random.IntN(3) {
			text.WriteString(pick("Origin: https://a.example.com\r\n", "Origin: https://d.example.com\r\n", "Origin: https://z.example.com\r\n",
				"Origin: null\r\n", "X-Frontend: f01\r\n", "X-Frontend: nobody\r\n", "Sec-Fetch-Site: same-origin\r\n"))
		}
		text.WriteString("\r\n")
		var in http1.Reader
		var head http1.Head
		in.Reset(strings.NewReader(text.String()))
		if err := head.ReadRequest(&in, 4096); err != nil {
			t.Fatal(err)
		}
		r := &Request{Head: &head, Host: head.Host, isGet: true}
		r.Origin, r.Origins = head.Get("origin")
		target := Target{Path: []byte(pick("/", "/a", "/a/", "/a/x/1", "/a/b/x/1", "/ab/x/1", "/abc", "/x/1", "/c/x/", "/c//x"))}
		got, p := h.choose(r, &target)
		want, q := byHand(h, r, target.Path)
		if got != want || p != q {
			t.Fatalf("%d: %q %s: %v %v, by hand %v %v", i, text.String(), target.Path, got, p, want, q)
		}
		if got != nil {
			found++
		}
	}
	if found < 1000 {
		t.Errorf("only %d calls were for somebody", found)
	}
}

// BenchmarkShared: what a call pays for the number of frontends that share its host.
func BenchmarkShared(b *testing.B) {
	for _, n := range []int{10, 5000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := &Host{}
			for i := range n {
				f := &Frontend{Name: fmt.Sprint(i), Config: &configs.Frontend{}, Base: fmt.Sprintf("/app%d", i), Origins: []string{"https://x.example.com"}}
				f.index = newRouteIndex(nil)
				h.Frontends = append(h.Frontends, f)
			}
			h.share()
			r := &Request{Head: &http1.Head{}, Origin: []byte("https://x.example.com"), Origins: 1}
			target := &Target{Path: []byte("/app7/api/orders")}
			b.ReportAllocs()
			for b.Loop() {
				if f, _ := h.choose(r, target); f != h.Frontends[7] {
					b.Fatal(f)
				}
			}
		})
	}
}
