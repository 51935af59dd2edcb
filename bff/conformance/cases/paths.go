package cases

import (
	"net/url"
	"path"
	"strings"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// escapes reports whether some reader of a path finds it outside of a prefix.
func escapes(uri, prefix string) bool {
	uri, _, _ = strings.Cut(uri, "?")
	plain, err := url.PathUnescape(uri)
	if err != nil {
		return true
	}
	plain = strings.NewReplacer(`\`, "/", "..;", "..", "\xc0\xae", ".").Replace(plain)
	return !strings.HasPrefix(path.Clean("/"+plain)+"/", prefix)
}

// walk is a case about a target that some reader takes for a path outside the prefix.
func walk(id string, severity suite.Severity, target, pass string) suite.Case {
	source := bffProxy
	if strings.ContainsAny(target, `;\`) || strings.Contains(target, "%5c") || strings.Contains(target, "%c0") {
		source = expectation("some servers read it as a step up: who forwards it relies on the API not to")
	}
	return one(id, severity, source, "The BFF SHOULD NOT proxy to hosts and paths that are not the application's.", pass, func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		target := strings.NewReplacer("{mark}", mark, "{api}", t.S.API).Replace(target)
		_, calls := t.Wired(tab, "GET", target, "")
		for _, c := range calls {
			t.FailIf(t.W.Owner(t.S.Token(c)) != "" && escapes(c.URI, t.S.Seen(t.S.API)), "the API got %s with her token", c.URI)
		}
	})
}

func paths() []suite.Case {
	return []suite.Case{
		walk("paths-dots", suite.High, "{api}../internal/{mark}", "/../ does not lead out of the prefix"),
		walk("paths-dots-encoded", suite.High, "{api}%2e%2e/internal/{mark}", "encoded dots do not lead out of the prefix"),
		walk("paths-dots-half", suite.High, "{api}.%2e/internal/{mark}", "a dot and an encoded dot do not lead out"),
		walk("paths-dots-slash", suite.High, "{api}..%2finternal/{mark}", "dots and an encoded slash do not lead out"),
		walk("paths-dots-parameter", suite.Medium, "{api}..;/internal/{mark}", "dots with a path parameter, which some servers drop, do not lead out"),
		walk("paths-dots-twice", suite.Medium, "{api}%252e%252e/internal/{mark}", "nothing is decoded twice"),
		walk("paths-backslash", suite.Medium, `{api}..\internal\{mark}`, "backslashes do not lead out"),
		walk("paths-backslash-encoded", suite.Medium, "{api}..%5cinternal%5c{mark}", "encoded backslashes do not lead out"),
		walk("paths-overlong", suite.Low, "{api}%c0%ae%c0%ae/internal/{mark}", "overlong dots do not lead out"),
		walk("paths-double-slash", suite.Medium, "//internal/{mark}", "two slashes at the start do not lead out"),
		one("paths-prefix", suite.Medium, bffProxy, "The BFF SHOULD NOT proxy to paths that are not the application's.", "a path that only begins with the prefix's letters is another one", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Wired(tab, "GET", strings.TrimSuffix(t.S.API, "/")+"x/"+mark, "")
			t.FailIf(len(t.Bearing(mark)) > 0, "it reaches the API")
		}),
		one("paths-nul", suite.Low, expectation("servers in other languages end a string there"), "A path has no NUL.", "%00 does not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Wired(tab, "GET", t.S.API+mark+"%00.png", "")
			t.FailIf(len(t.Bearing(mark)) > 0, "it does")
		}),
		one("paths-line-break", suite.Critical, "RFC 9112, 11.1 Response Splitting; OWASP ASVS 5.0, 4.2.4", "Line breaks do not come into a message by decoding.", "an encoded line break in a path makes no header at the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			_, calls := t.Wired(tab, "GET", t.S.API+mark+"%0d%0aX-Injected:%20yes", "")
			for _, c := range calls {
				t.FailIf(c.Header.Get("X-Injected") != "", "it does")
			}
		}),
		one("paths-absolute", suite.Low, "RFC 9112, 3.2.2", "A target in absolute form MUST be used in place of Host.", "a target of another host is not served as one of ours", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Wired(tab, "GET", "http://attacker.test"+t.S.API+mark, "")
			if t.S.Other == nil && len(t.Bearing(mark)) > 0 {
				t.Skip("it serves one frontend, whatever the host: a browser gives the cookie to no other one")
			}
			t.FailIf(len(t.Bearing(mark)) > 0, "it reaches the API with her token")
		}),
		one("paths-query", suite.Low, expectation("an API may sign, or tell apart, what a decoder makes equal"), "A query goes on as it came.", "repeated keys, order and escapes of a query arrive", func(t *suite.T) {
			const query = "b=2&a=1&a=%2f&c=x+y&d=%C3%A9&e"
			arrives(t, "", "?"+query)
		}),
		one("paths-kept", suite.Low, expectation("what is checked and what is forwarded should be the same bytes"), "A path goes on as it came.", "escapes of a path arrive as they are", func(t *suite.T) {
			arrives(t, "/a%20b/%c3%a9", "")
		}),
	}
}

func arrives(t *suite.T, rest, query string) {
	tab, mark := t.SignIn(world.Ada), t.W.Mark()
	w, calls := t.Wired(tab, "GET", t.S.API+mark+rest+query, "")
	if len(calls) == 0 {
		t.Fail("it does not arrive: %d", w.Status())
	}
	t.FailIf(!strings.HasSuffix(calls[0].URI, mark+rest+query), "the API got %s", calls[0].URI)
}
