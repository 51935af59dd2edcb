package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestLabelsAreBounded: whatever strangers ask for, the number of series stays what
// the configuration makes it.
func TestLabelsAreBounded(t *testing.T) {
	t.Parallel()
	f := &fleet{T: t, api: newFleetAPI(t), replicas: []*replica{{}, {}}}
	f.launch(func(*replica) string { return "memory://" })
	r := f.replicas[0]
	ask := func(i int) {
		for _, method := range []string{"GET", "POST", "DELETE", fmt.Sprintf("M%d", i)} {
			q, _ := http.NewRequest(method, fmt.Sprintf("http://%s/p%d", r.host, i), nil)
			q.Header = http.Header{"Origin": {fmt.Sprintf("https://o%d.example", i)}, "X-Frontend": {fmt.Sprintf("f%d", i)}, "User-Agent": {fmt.Sprintf("u%d", i)}}
			if i%2 == 0 {
				q.Header.Set("Origin", "http://"+r.host)
			}
			if i%3 == 0 {
				q.Host = fmt.Sprintf("h%d.example", i)
			}
			if a, err := r.client.Do(q); err == nil {
				_ = a.Body.Close()
			}
		}
		f.trySignIn(r, fmt.Sprintf("person%d", i))
		f.get(r, fmt.Sprintf("/open/%d", i), nil)
		f.get(r, fmt.Sprintf("/bff/%d", i), nil)
	}
	series := func() (n int) {
		a, err := http.Get(r.admin + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, _ := io.ReadAll(a.Body)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "coatcheck_") {
				n++
			}
		}
		return n
	}
	for i := range 12 {
		ask(i)
	}
	before := series()
	for i := range 60 {
		ask(100 + i)
	}
	if after := series(); after != before || before < 100 {
		t.Errorf("%d series became %d", before, after)
	}
}
