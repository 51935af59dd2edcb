package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"coatcheck/bff/rig"
)

func sticky(s settings) settings {
	s.edit = func(yaml string) string {
		return replaced(yaml, `    url: "${API}"`+"\n", `    url: "${API}"`+"\n    sticky: [AWSALB, AWSALBCORS]\n")
	}
	return s
}

// keepingAll judges an attempt in which no value was lost: an answer waits a second for its
// store, and what is not kept by then costs nothing but the value.
func keepingAll(t *testing.T, attempt func() (h *house, fault string)) {
	t.Helper()
	inTime(t, func() (late bool, fault string) {
		h, fault := attempt()
		logs := h.logs.String()
		return strings.Contains(logs, "a value was not kept") || strings.Contains(logs, "credential not followed"), fault
	})
}

// machines are an API behind a load balancer that is sticky by cookie: whoever comes
// without one is sent to the next machine, and every answer may set the cookie anew.
func machines(a *rig.API, set func(w http.ResponseWriter, machine string)) {
	var next atomic.Int64
	a.Say(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/auth/login":
			fmt.Fprintf(w, `{"access_token":"t","user":{"id":"7"}}`)
			return
		case "/auth/logout":
			return
		}
		machine := fmt.Sprintf("n%d", next.Add(1))
		if c, err := r.Cookie("AWSALB"); err == nil {
			machine, _, _ = strings.Cut(c.Value, ".")
		}
		set(w, machine)
		fmt.Fprint(w, machine)
	})
}

// TestSticky: a session stays on one machine, over replicas too; another session, and
// whoever has none, are sent to machines of their own; no browser sees a cookie.
func TestSticky(t *testing.T) {
	keepingAll(t, func() (h *house, fault string) {
		h = open(t, sticky(settings{store: redisURL}))
		var serial atomic.Int64
		machines(h.api, func(w http.ResponseWriter, machine string) {
			w.Header().Add("Set-Cookie", fmt.Sprintf("AWSALB=%s.%d; Expires=Fri, 01 Jan 2100 00:00:00 GMT; Path=/", machine, serial.Add(1)))
			w.Header().Add("Set-Cookie", "session=theirs; Path=/")
		})
		ada, grace := h.signIn("ada@x.test"), h.signIn("grace@x.test")
		first := h.call("GET /api/x", ada, sameOrign)
		for range 3 {
			got := h.call("GET /api/x", ada, sameOrign, "Connection: keep-alive")
			if got.body != first.body || got.Header["Set-Cookie"] != nil {
				fault = fmt.Sprintf("%s, then %s; %q", first.body, got.body, got.Header["Set-Cookie"])
			}
			if c := h.api.Last(t).Header["Cookie"]; len(c) != 1 || !strings.HasPrefix(c[0], "AWSALB=") || strings.Contains(c[0], "session") {
				fault = fmt.Sprintf("the API got %q", c)
			}
		}
		if other := h.call("GET /api/x", grace, sameOrign); other.body == first.body {
			fault = "another session got the cookie"
		}
		replica := &house{t: t, api: h.api, logs: h.logs}
		replica.build(h.config)
		if got := replica.call("GET /api/x", ada, sameOrign); got.body != first.body {
			fault = fmt.Sprintf("another replica asks %s, the first %s", got.body, first.body)
		}
		nobody := h.call("GET /open/x", sameOrign)
		if again := h.call("GET /open/x", sameOrign); again.body != nobody.body || nobody.body == first.body {
			fault = fmt.Sprintf("nobody: %s, then %s", nobody.body, again.body)
		}
		return h, fault
	})
}

// TestStickyForgets: a cookie that the API takes away, or that is none, is not sent.
func TestStickyForgets(t *testing.T) {
	h := open(t, sticky(settings{}))
	lines := []string{"AWSALB=a"}
	machines(h.api, func(w http.ResponseWriter, _ string) { w.Header()["Set-Cookie"] = lines })
	for _, row := range []struct {
		lines []string
		next  string
	}{
		{[]string{"AWSALB=a; Path=/"}, "AWSALB=a"},
		{[]string{"AWSALBCORS=b; Path=/; Secure; SameSite=None", "awsalb=x", "Other=y"}, "AWSALB=a; AWSALBCORS=b"},
		{nil, "AWSALB=a; AWSALBCORS=b"},
		{[]string{"AWSALB=c d", "AWSALB=\"q,\"", "AWSALB", "=AWSALB", "AWSALB=" + strings.Repeat("x", 9000)}, "AWSALBCORS=b"},
		{[]string{"AWSALB=; Max-Age=0", "AWSALBCORS=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, ""},
	} {
		lines = row.lines
		h.call("GET /open/x", sameOrign)
		lines = nil
		h.call("GET /open/x", sameOrign)
		if got := h.api.Last(t).Header.Get("Cookie"); got != row.next {
			t.Errorf("behind %.60q comes %.60q, want %q", row.lines, got, row.next)
		}
	}
}

// TestStickyMoves: a session that the balancer sends to another machine goes there with
// the next call, and is forgotten where the cookie is taken away.
func TestStickyMoves(t *testing.T) {
	keepingAll(t, func() (h *house, fault string) {
		h = open(t, sticky(settings{}))
		var lines []string
		machines(h.api, func(w http.ResponseWriter, _ string) { w.Header()["Set-Cookie"] = lines })
		ada, grace := h.signIn("ada@x.test"), h.signIn("grace@x.test")
		for _, row := range []struct{ line, next string }{
			{"AWSALB=n1; Path=/", "AWSALB=n1"}, {"AWSALB=n2; Path=/", "AWSALB=n2"}, {"AWSALB=n1; Path=/", "AWSALB=n1"},
			{"AWSALB=; Max-Age=0", ""}, {"AWSALB=n3", "AWSALB=n3"}, {"AWSALB=n4", "AWSALB=n4"}, {"AWSALB=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", ""},
		} {
			lines = []string{row.line}
			h.call("GET /api/x", ada, sameOrign)
			lines = nil
			for range 2 {
				h.call("GET /api/x", ada, sameOrign)
				if got := h.api.Last(t).Header.Get("Cookie"); got != row.next {
					fault = fmt.Sprintf("behind %q comes %q, want %q", row.line, got, row.next)
				}
			}
		}
		h.call("GET /api/x", grace, sameOrign)
		if got := h.api.Last(t).Header.Get("Cookie"); got != "" {
			fault = fmt.Sprintf("another session sends %q", got)
		}
		return h, fault
	})
}
