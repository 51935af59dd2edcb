package cases

import (
	"io"
	"strings"
	"time"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// refusedLarge is a case about a request that is too much.
func refusedLarge(id, says, pass string, request func(mark string) string) suite.Case {
	return one(id, suite.Low, expectation("a head is read before anybody is known, and no page of a browser needs one so large"), says, pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		w := t.Raw(tab, request(mark))
		t.FailIf(len(t.W.API.Calls(mark)) > 0, "it reached the API")
		t.FailIf(w.Status() >= 500 && w.Status() != 501 && w.Status() != 505, "answered with %d", w.Status())
		t.FailIf(!tab.Works(), "calls do not work afterwards")
	})
}

func abuse() []suite.Case {
	const head = " HTTP/1.1\n{host}\n{cookie}\n{edge}\n"
	return []suite.Case{
		one("abuse-slow-head", suite.Medium, "OWASP ASVS 5.0, 13.2.6; advisories on Slowloris", "A connection that says nothing does not stay.", "half a head is closed within 100 seconds", func(t *suite.T) {
			c, err := world.Drip(t.S.Address)
			if err != nil {
				t.Stuck("%v", err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: shop.example.com\r\nX-Slow: ")
			most := t.Most(100 * time.Second)
			_ = c.SetDeadline(time.Now().Add(most))
			_, err = io.Copy(io.Discard, c)
			late, ok := err.(interface{ Timeout() bool })
			t.FailIf(err != nil && ok && late.Timeout(), "it was still open after %s", most)
		}),
		refusedLarge("abuse-long-head", "Heads are bounded.", "a head of 2 MiB is refused", func(mark string) string {
			return "GET {api}" + mark + head + "X-Long: " + strings.Repeat("x", 2<<20) + "\nConnection: close\n\n"
		}),
		refusedLarge("abuse-many-headers", "Heads are bounded.", "50 000 fields are refused", func(mark string) string {
			return "GET {api}" + mark + head + strings.Repeat("X-Many: 1\n", 50_000) + "Connection: close\n\n"
		}),
		refusedLarge("abuse-long-target", "Targets are bounded.", "a target of 1 MiB is refused", func(mark string) string {
			return "GET {api}" + mark + "?" + strings.Repeat("x", 1<<20) + head + "Connection: close\n\n"
		}),
		one("abuse-cookies", suite.Low, asvs("16.5.3"), "Errors are handled.", "cookies of random bytes are nobody's, and no error of the server", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			name := tab.SessionCookies()[0].Name
			for _, value := range []string{"", "%", "=====", "\"", strings.Repeat("A", 3000), "\xff\xfe\xfd", "{\"a\":1}", "a|b|c", "eyJhbGciOiJub25lIn0.e30."} {
				w := t.Raw(tab, "GET {api}"+t.W.Mark()+" HTTP/1.1\n{host}\nCookie: "+name+"="+value+"\n{edge}\nConnection: close\n\n")
				t.FailIf(w.Status() >= 500 || w.Status() == 0, "%q is answered with %d", value, w.Status())
			}
		}),
	}
}
