package routing

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scanned is the longest route that holds path, found by looking at each: what the index
// must find.
func scanned(routes []*Route, path []byte) *Route {
	for _, r := range routes {
		if r.Holds(path) {
			return r
		}
	}
	return nil
}

// routesOf makes routes of lines: a path that ends in "/" is a prefix, any other exact.
func routesOf(text string) (routes []*Route) {
	for i, prefix := range strings.Split(text, "\n") {
		routes = append(routes, &Route{Index: i, Prefix: prefix, Exact: !strings.HasSuffix(prefix, "/")})
	}
	slices.SortStableFunc(routes, func(a, b *Route) int { return cmp.Compare(len(b.Prefix), len(a.Prefix)) })
	return routes
}

// FuzzRoutes: the index decides as a look at each route does.
func FuzzRoutes(f *testing.F) {
	f.Add("/\n/api/\n/api/v2/\n/api/items\n/img/", "/api/v2/x")
	f.Add("/api/\n/api\n/api/\n/apx/\n/apy/", "/api")
	f.Add("/a/\n/b/\n/a/b\n/a/c\n/a/b/", "/a/b")
	f.Add("/graphql\n/", "/graphql/x")
	f.Add("\n/", "/")
	f.Fuzz(func(t *testing.T, text, path string) {
		routes := routesOf(text)
		x := newRouteIndex(routes)
		for _, p := range []string{path, path + "/", path + "x", strings.TrimSuffix(path, "/")} {
			if got, want := x.find([]byte(p)), scanned(routes, []byte(p)); got != want {
				t.Errorf("%q of %q: %+v, want %+v", p, text, got, want)
			}
		}
		for _, r := range routes {
			for _, p := range []string{r.Prefix, r.Prefix + "/", r.Prefix + path} {
				if got, want := x.find([]byte(p)), scanned(routes, []byte(p)); got != want {
					t.Errorf("%q of %q: %+v, want %+v", p, text, got, want)
				}
			}
		}
	})
}

// TestManyRoutes: the same over many routes of few lengths, exact ones among them.
func TestManyRoutes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	segment := func() string { return string([]byte{'a' + byte(random.IntN(4)), 'a' + byte(random.IntN(4))}) }
	path := func() string {
		p := "/" + segment() + "/"
		for range random.IntN(3) {
			p += segment() + "/"
		}
		if random.IntN(2) == 0 {
			p += segment()
		}
		return p
	}
	var lines []string
	for range 300 {
		lines = append(lines, path())
	}
	routes := routesOf(strings.Join(lines, "\n"))
	x := newRouteIndex(routes)
	found := 0
	for range 20_000 {
		p := []byte(path())
		got := x.find(p)
		if got != scanned(routes, p) {
			t.Fatalf("%s: %+v, want %+v", p, got, scanned(routes, p))
		}
		if got != nil {
			found++
		}
	}
	if found == 0 || found == 20_000 {
		t.Errorf("%d of 20000 paths found a route: the test sees nothing", found)
	}
}

// BenchmarkRoute: what a call pays for the number of routes.
func BenchmarkRoute(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "10": 10, "1000": 1000} {
		var lines []string
		for i := range n {
			lines = append(lines, "/api/"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+string(rune('a'+i/26))+"/")
		}
		routes := routesOf(strings.Join(lines, "\n"))
		x, path := newRouteIndex(routes), []byte(routes[len(routes)-1].Prefix+"items")
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				x.find(path)
			}
		})
		b.Run(name+" scanned", func(b *testing.B) {
			for b.Loop() {
				scanned(routes, path)
			}
		})
	}
}
