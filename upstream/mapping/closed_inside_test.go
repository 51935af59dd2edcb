package mapping

import (
	"slices"
	"testing"
)

func closedForTest() *ClosedPaths {
	c := NewClosedPaths("/base")
	c.CloseBelow("/internal")
	c.CloseBelow("/Reports/Secret/")
	for _, path := range []string{"/auth/login", "/auth/mfa:verify/", "/users/{uid}/log%20out", "/sign/kiosk", "/x-{a}-y", "/"} {
		c.Close(&Request{Path: path}, "/base")
	}
	c.Close(&Request{Path: "/elsewhere"}, "/other") // not below our base
	return &c
}

// FuzzClosed: the test for plain paths and the one for any path agree, and both say what
// the closed paths say of the whole path, base included.
func FuzzClosed(f *testing.F) {
	for _, path := range []string{"/auth/login", "/AUTH//Login/?x", "/auth/mfa:verify", "/users/5/log out", "/users/5/LOG%20OUT", "/reports/secret/x", "/internal",
		"/internally", "", "/", "//", "?", "/x-1-y", "/x/y", "auth/login", "/auth/login#x", "/auth;a/login", "/auth/logIn\x00", "/sign/\u212aiosk", "/elsewhere", "/\x00", "0000/\\", "/auth\\login"} {
		f.Add([]byte(path))
	}
	c := closedForTest()
	f.Fuzz(func(t *testing.T, path []byte) {
		got := c.Contain(path)
		if want := c.containAny(path); got != want {
			t.Fatalf("%q: closed %v, by the general test %v", path, got, want)
		}
		is := func(closed []string) []string { return append([]string{"base"}, closed...) }
		closes := func(path string) bool {
			whole := append([]string{"base"}, segments(path)...)
			return slices.ContainsFunc(c.exact, func(e []string) bool { return len(whole) == len(is(e)) && begins(whole, is(e)) }) ||
				slices.ContainsFunc(c.below, func(b []string) bool { return begins(whole, is(b)) })
		}
		want := closes(string(path)) || closes(backslashes.Replace(string(path)))
		if got != want {
			t.Fatalf("%q: closed %v, as a whole %v", path, got, want)
		}
	})
}

// TestClosedCostsNothing: a call's own path is tested without an allocation.
func TestClosedCostsNothing(t *testing.T) {
	c := closedForTest()
	for _, path := range []string{"/v1/orders/1234", "/Users/5/orders?page=2", "/auth/login"} {
		if n := testing.AllocsPerRun(100, func() { c.Contain([]byte(path)) }); n != 0 {
			t.Errorf("%s: %v allocations", path, n)
		}
	}
}

func BenchmarkClosed(b *testing.B) {
	c := closedForTest()
	for name, path := range map[string]string{"plain": "/v1/orders/1234?page=2", "upper": "/v1/Orders/1234", "escaped": "/v1/orders%20of/1234"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			bytes := []byte(path)
			for b.Loop() {
				if c.Contain(bytes) {
					b.Fatal("closed")
				}
			}
		})
	}
}
