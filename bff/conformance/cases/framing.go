package cases

import (
	"net/http"
	"strings"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// malformed is a case about a request that MUST be refused.
func malformed(id string, severity suite.Severity, source, says, request string) suite.Case {
	return one(id, severity, source, says, "an answer of 4xx or 5xx, or a closed connection; nothing reaches the API", func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		n := t.W.API.Count()
		w := tab.First(strings.ReplaceAll(request, "{mark}", mark))
		t.FailIf(t.W.API.Count() > n, "the API got %+v", short(t.W.API.Since(n)))
		t.FailIf(w.Status() >= 200 && w.Status() < 400, "answered with %d", w.Status())
	})
}

func short(calls []world.Call) (list []string) {
	for _, c := range calls {
		list = append(list, c.Method+" "+c.URI)
	}
	return list
}

// unsmuggled is a case about a request with another hidden in it.
func unsmuggled(id, says, version, lines, body string) suite.Case {
	return one(id, suite.High, "RFC 9112, 6.1 Transfer-Encoding", says, "a hidden second request does not reach the API", func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		t.Raw(tab, "POST {api}"+mark+" "+version+"\n{host}\n{cookie}\n{honest}\nContent-Type: text/plain\n"+lines+"\n\n"+strings.ReplaceAll(body, "{mark}", mark))
		for _, c := range t.W.API.Calls(mark) {
			t.FailIf(strings.Contains(c.URI, "hidden"), "the API got %s", c.URI)
		}
	})
}

func framing() []suite.Case {
	const get = "GET {api}{mark} HTTP/1.1\n{host}\n{cookie}\n{edge}\n"
	const post = "POST {api}{mark} HTTP/1.1\n{host}\n{cookie}\n{honest}\nContent-Type: text/plain\n"
	const hidden = "0\r\n\r\nGET {api}hidden/{mark} HTTP/1.1\r\n{host}\r\n{cookie}\r\n\r\n"
	const length = "RFC 9112, 6.3 rule 5: an invalid Content-Length is an unrecoverable error"
	const coding = "RFC 9112, 6.1 and 6.3 rule 4"
	const chunk = "RFC 9112, 7.1"
	return append([]suite.Case{
		unsmuggled("framing-length-and-chunked", "With both lengths, a server refuses, or reads the chunks and closes.", "HTTP/1.1", "Content-Length: 300\nTransfer-Encoding: chunked", hidden+strings.Repeat(" ", 300)),
		malformed("framing-two-lengths", suite.High, "RFC 9112, 6.3 rule 5", "Different Content-Length fields MUST be refused.", post+"Content-Length: 5\nContent-Length: 6\n\nabcdef"),
		malformed("framing-length-list", suite.High, "RFC 9112, 6.3 rule 5", "A list of different lengths MUST be refused.", post+"Content-Length: 5, 6\n\nabcdef"),
		malformed("framing-length-plus", suite.Medium, length, "Content-Length is digits.", post+"Content-Length: +5\n\nabcde"),
		malformed("framing-length-negative", suite.Medium, length, "Content-Length is digits.", post+"Content-Length: -5\n\nabcde"),
		malformed("framing-length-text", suite.Medium, length, "Content-Length is digits.", post+"Content-Length: 5x\n\nabcde"),
		malformed("framing-coding-unknown", suite.High, coding, "An unknown coding SHOULD be answered with 501; it is never ignored.", post+"Transfer-Encoding: xchunked\n\n5\nabcde\n0\n\n"),
		malformed("framing-coding-list", suite.High, coding, "Where chunked is not last, the length is unknown: 400.", post+"Transfer-Encoding: chunked, identity\n\n5\nabcde\n0\n\n"),
		unsmuggled("framing-coding-old", "Transfer-Encoding in HTTP/1.0 is faulty framing: the connection MUST be closed after the message.", "HTTP/1.0", "Connection: keep-alive\nTransfer-Encoding: chunked", hidden),
		malformed("framing-chunk-size", suite.Medium, chunk, "A chunk's size is hexadecimal digits.", post+"Transfer-Encoding: chunked\n\n0x5\nabcde\n0\n\n"),
		malformed("framing-chunk-overflow", suite.High, chunk, "Large sizes MUST NOT overflow.", post+"Transfer-Encoding: chunked\n\nffffffffffff00000005\nabcde\n0\n\n"),
		malformed("framing-chunk-end", suite.Medium, chunk, "A chunk ends with CRLF.", post+"Transfer-Encoding: chunked\n\n5\nabcde0\n\n"),
		malformed("framing-space-colon", suite.High, "RFC 9112, 5.1", "White space before the colon MUST be refused.", get+"X-Mine : 1\nConnection: close\n\n"),
		malformed("framing-name", suite.Low, "RFC 9110, 5.1", "A field name is a token.", get+"X(Mine): 1\nConnection: close\n\n"),
		malformed("framing-no-host", suite.Medium, "RFC 9112, 3.2", "A request without Host MUST be refused.", strings.Replace(get, "{host}\n", "", 1)+"Connection: close\n\n"),
		malformed("framing-two-hosts", suite.High, "RFC 9112, 3.2", "A request with two Hosts MUST be refused.", get+"Host: attacker.test\nConnection: close\n\n"),
		malformed("framing-bad-host", suite.Medium, "RFC 9112, 3.2", "An invalid Host MUST be refused.", strings.Replace(get, "{host}", "Host: shop.example.com @attacker.test", 1)+"Connection: close\n\n"),
		malformed("framing-version", suite.Low, "RFC 9110, 15.6.6", "A major version that is not known is not taken for another.", strings.Replace(get, "HTTP/1.1", "HTTP/7.3", 1)+"Connection: close\n\n"),
		harmless("framing-fold", "RFC 9112, 5.2", "A folded line MUST be refused, or become one line.", "X-First: 1\n X-Injected: yes\n", func(c world.Call) bool { return c.Header.Get("X-Injected") != "" }),
		harmless("framing-nul", "RFC 9110, 5.5", "NUL MUST be refused, or become a space.", "X-Mine: a\x00b\n", func(c world.Call) bool { v := c.Header.Get("X-Mine"); return v != "" && v != "a b" }),
		harmless("framing-bare-cr", "RFC 9112, 2.2", "A bare CR MUST be refused, or become a space.", "X-First: 1{CR}X-Injected: yes\n", func(c world.Call) bool { return c.Header.Get("X-Injected") != "" }),
		one("framing-leading-space", suite.Medium, "RFC 9112, 2.2", "White space before the first field MUST be refused, or the line ignored.", "the line makes no header at the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\n X-Injected: yes\n{host}\n{cookie}\n{edge}\nConnection: close\n\n")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(c.Header.Get("X-Injected") != "", "it does")
			}
		}),
	}, hops()...)
}

// harmless is a case about bytes that may be refused or mended, and never passed on.
func harmless(id, source, says, lines string, harm func(c world.Call) bool) suite.Case {
	return one(id, suite.High, source, says, "refused, or passed on mended", func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{edge}\n"+lines+"Connection: close\n\n")
		for _, c := range t.W.API.Calls(mark) {
			t.FailIf(harm(c), "the API got %v", c.Header)
		}
	})
}

// hops are cases about what concerns one connection only.
func hops() []suite.Case {
	return []suite.Case{
		one("framing-trailers", suite.Medium, "RFC 9110, 6.5.1", "Trailers MUST NOT be merged into the header.", "a trailer is no header at the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Raw(tab, "POST {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{honest}\nContent-Type: text/plain\nTransfer-Encoding: chunked\nTrailer: X-Injected\n\n5\nabcde\n0\nX-Injected: yes\n\n")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(c.Header.Get("X-Injected") != "", "it is")
			}
		}),
		one("framing-connection-named", suite.Low, "RFC 9110, 7.6.1", "Fields that Connection names MUST be removed.", "such a field does not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{edge}\nX-Mine: 1\nConnection: close, X-Mine\n\n")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(c.Header.Get("X-Mine") != "", "it does")
			}
		}),
		one("framing-connection-token", suite.High, "RFC 9110, 7.6.1; advisories on hop-by-hop abuse", "A caller's Connection cannot remove what the BFF itself adds.", "Connection: Authorization, X-Forwarded-For removes neither", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			name := t.S.Carrier
			if name == "" {
				name = "Authorization"
			}
			t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{edge}\nConnection: close, "+name+"\n\n")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(t.S.Token(c) == "", "the API got a call without the token")
			}
		}),
		one("framing-hop-by-hop", suite.Low, "RFC 9110, 7.6.1", "Fields of one connection go no further.", "Keep-Alive and Proxy-Connection do not reach the API", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			t.Raw(tab, "GET {api}"+mark+" HTTP/1.1\n{host}\n{cookie}\n{edge}\nKeep-Alive: timeout=77\nProxy-Connection: keep-alive\nConnection: close\n\n")
			for _, c := range t.W.API.Calls(mark) {
				t.FailIf(strings.Contains(c.Header.Get("Keep-Alive"), "77") || c.Header.Get("Proxy-Connection") != "", "the API got %v", c.Header)
			}
		}),
		one("framing-trace", suite.Medium, "RFC 9110, 9.3.8", "TRACE must not give away what a script cannot read.", "an answer to TRACE does not repeat the cookie", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			w := t.Raw(tab, "TRACE / HTTP/1.1\n{host}\n{cookie}\n{edge}\nConnection: close\n\n")
			for _, body := range w.Bodies {
				t.FailIf(strings.Contains(body, tab.SessionCookies()[0].Value), "it repeats it")
			}
		}),
		one("framing-connect", suite.High, "RFC 9110, 9.3.6", "Proxies restrict CONNECT.", "CONNECT is not answered with 2xx", func(t *suite.T) {
			tab := t.SignIn(world.Ada)
			w := t.Raw(tab, "CONNECT "+t.W.API.Address()+" HTTP/1.1\n{host}\n{cookie}\n{edge}\n\n")
			t.FailIf(w.Status() >= 200 && w.Status() < 300, "%d", w.Status())
		}),
	}
}

// hijacked answers with bytes of a case's own.
func hijacked(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = c.Write([]byte(raw))
			_ = c.Close()
		}
	}
}

// answers are cases about answers of the API that two readers read in two ways.
func answers() []suite.Case {
	return []suite.Case{
		one("framing-answer-extra", suite.Critical, "RFC 9112, 9.2 Associating a Response to a Request", "Bytes after an answer belong to no request.", "what follows an answer of the API reaches nobody", func(t *suite.T) {
			ada, bob := t.SignIn(world.Ada), t.SignIn(world.Bob)
			mark := t.W.Mark()
			t.W.API.Say(mark, hijacked("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhersHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"))
			first := ada.Get(t.S.API + mark + "/extra")
			t.FailIf(strings.Contains(first.Body, "stolen"), "it reached the caller")
			for range 4 {
				a := bob.Get(t.S.API + t.W.Mark())
				t.FailIf(strings.Contains(a.Body, "stolen"), "it reached somebody else")
			}
		}),
	}
}
