package http1_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"coatcheck/bff/http1"
)

// TestGet: a head finds each of its fields by name, however often it is there, and no other.
func TestGet(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"a", "host", "cookie", "origin", "x-a", "x-b", "x-aa", "accept", "expect", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"}
	for range 2000 {
		text, want := "GET / HTTP/1.1\r\nHost: x\r\n", map[string]int{"host": 1}
		for range random.IntN(8) {
			name := names[random.IntN(len(names))]
			if name == "host" || name == "expect" {
				continue
			}
			want[name]++
			if random.IntN(2) == 0 {
				name = strings.ToUpper(name)
			}
			text += name + ": " + strings.ToLower(name) + "\r\n"
		}
		var in http1.Reader
		var head http1.Head
		in.Reset(strings.NewReader(text + "\r\n"))
		if err := head.ReadRequest(&in, 4096); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			value, n := head.Get(name)
			if n != want[name] || n > 0 && name != "host" && string(value) != name {
				t.Fatalf("%s: %q, %d times in %q", name, value, n, text)
			}
		}
	}
	literal := http1.Head{Fields: []http1.Field{{Name: []byte("Origin"), Value: []byte("x")}}}
	if !literal.Has("origin") || slices.Contains(literal.Values("origin"), "") {
		t.Error("a head that was not read has no fields")
	}
}
