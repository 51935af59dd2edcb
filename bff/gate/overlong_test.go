package gate_test

import (
	"bufio"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/gate"
)

// Fields as Chromium and Firefox send them.
const (
	chromium = "sec-ch-ua: \"Chromium\";v=\"156\", \"Not)A;Brand\";v=\"24\"\r\n"
	opens    = "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
	presses  = "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\n"
	button   = "POST /shop/orders?coatcheck-delete-cookies HTTP/1.1\r\nHost: x\r\n"
	hypertxt = "Accept: text/html,*/*;q=0.8\r\n"
)

// TestTooManyCookies: a person who opens a page is told; only a person who presses that
// page's button has the cookies deleted; everybody else gets the problem document.
func TestTooManyCookies(t *testing.T) {
	const mark = "s3cr3t"
	get := "GET /shop/orders HTTP/1.1\r\nHost: x\r\n"
	cookies := "Cookie: a=" + strings.Repeat(mark, 300) + "\r\n"
	many := strings.Repeat("Cookie: a="+strings.Repeat(mark, 20)+"\r\n", 30)
	huge := "Cookie: a=" + strings.Repeat(mark, 120_000) + "\r\n"
	const withButton, byHand, problem, deleted = "with button", "by hand", "problem", "deleted"
	replace := func(old, new string) string {
		return button + chromium + strings.Replace(presses, old, new, 1) + cookies
	}
	rows := []struct{ name, head, want string }{
		{"a page", get + chromium + opens + cookies, withButton},
		{"a page, cookies first", get + cookies + chromium + opens, withButton},
		{"a page, many lines of cookies", get + many + chromium + opens, withButton},
		{"a page, 720 KB of cookies", get + huge + chromium + opens, withButton},
		{"a page, more than is read", get + huge + huge + chromium + opens, problem},
		{"a form of the application", "POST /form HTTP/1.1\r\nHost: x\r\n" + chromium + presses + cookies, withButton},
		{"a page in Firefox", get + hypertxt + opens + cookies, byHand},
		{"a page in an old browser", get + hypertxt + cookies, byHand},
		{"a call", get + chromium + "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n" + hypertxt + cookies, problem},
		{"a frame", get + chromium + "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n" + cookies, problem},
		{"a program", get + "Accept: */*\r\n" + cookies, problem},
		{"a HEAD", "HEAD / HTTP/1.1\r\nHost: x\r\n" + chromium + opens + cookies, problem},
		{"mode twice", get + chromium + opens + "Sec-Fetch-Mode: navigate\r\n" + cookies, problem},
		{"not the cookies", get + chromium + opens + "A: " + strings.Repeat(mark, 300) + "\r\n" + cookies, problem},
		{"no cookies", get + chromium + opens + "A: " + strings.Repeat(mark, 300) + "\r\n", problem},
		{"too long an address", "GET /" + strings.Repeat("a", 2000) + " HTTP/1.1\r\nHost: x\r\n" + chromium + opens + cookies, problem},
		{"a head that breaks off", get + chromium + opens + strings.TrimSuffix(cookies, "\r\n"), problem},
		{"a bare line feed", get + chromium + opens + cookies + "A: b\n", problem},
		{"a name that is none", get + chromium + opens + cookies + "a b: c\r\n", problem},
		{"a line without a colon", get + chromium + opens + cookies + "abc\r\n", problem},

		{"the button", button + chromium + presses + cookies, deleted},
		{"the button, cookies first", button + cookies + chromium + presses, deleted},
		{"the button, without a body", button + chromium + presses + "Content-Length: 0\r\n" + huge, deleted},
		{"a sibling's form", replace("same-origin", "same-site"), withButton},
		{"another site's form", replace("same-origin", "cross-site"), withButton},
		{"from nowhere", replace("same-origin", "none"), withButton},
		{"site twice", replace("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: same-origin"), withButton},
		{"a script of the page, by fetch", replace("navigate", "cors"), problem},
		{"a script of the page, by a form", replace("Sec-Fetch-User: ?1\r\n", ""), withButton},
		{"in a frame", replace("document", "iframe"), problem},
		{"in Firefox", button + hypertxt + presses + cookies, byHand},
		{"without Fetch Metadata", button + chromium + hypertxt + cookies, withButton},
		{"by a link", strings.Replace(button, "POST", "GET", 1) + chromium + presses + cookies, withButton},
		{"by PUT", strings.Replace(button, "POST", "PUT", 1) + chromium + presses + cookies, problem},
		{"another query", strings.Replace(button, "?", "?a&", 1) + chromium + presses + cookies, withButton},
		{"the path only", strings.Replace(button, "?", "/", 1) + chromium + presses + cookies, withButton},
		{"long for another reason", button + chromium + presses + "A: " + strings.Repeat(mark, 300) + "\r\n", problem},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := start(t, patient, body)
			end := "\r\n"
			if row.name == "a head that breaks off" {
				end = ""
			}
			got := talk(t, s, row.head+end)
			if kind := kindOf(got); kind != row.want {
				t.Errorf("%s, want %s: %.300q", kind, row.want, got)
			}
			if strings.Contains(got, mark) || strings.Count(got, "HTTP/1.1 ") != 1 || !strings.Contains(got, "\r\nConnection: close\r\n") || !strings.Contains(got, "\r\nCache-Control: no-store\r\n") {
				t.Errorf("answer: %.300q", got)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.seen) != 0 || len(s.refusals) != 1 {
				t.Errorf("came in: %q, refusals: %+v", s.seen, s.refusals)
			}
		})
	}

	// A head that fits is a request like any other, whoever presses.
	s := start(t, patient, func(r *gate.Request) string { return string(r.Head().Target) })
	if got := talk(t, s, button+chromium+presses+"Cookie: a=b\r\n\r\n"); !strings.HasSuffix(got, "\r\n\r\n/shop/orders?coatcheck-delete-cookies") || strings.Contains(got, "Clear-Site-Data") {
		t.Errorf("a head that fits: %q", got)
	}
}

// kindOf names an answer, and checks that it is wholly what it should be.
func kindOf(got string) string {
	head, text, _ := strings.Cut(got, "\r\n\r\n")
	clears, form := strings.Contains(head, "\r\nClear-Site-Data: \"cookies\""), strings.Contains(text, "<form method=\"post\" action=\"?coatcheck-delete-cookies\">")
	page := strings.HasPrefix(got, "HTTP/1.1 431 ") && strings.Contains(head, "\r\nContent-Type: text/html; charset=utf-8\r\n") &&
		strings.Contains(head, "\r\nContent-Security-Policy: default-src 'none'; style-src 'sha256-") && strings.Contains(head, "frame-ancestors 'none'") && strings.HasPrefix(text, "<!doctype html>") && strings.HasSuffix(text, "</html>\n")
	switch {
	case regexp.MustCompile(`(?i)<script|javascript:|\son\w+=`).MatchString(text) || strings.Contains(head, "Set-Cookie"):
		return "a script, or a cookie"
	case page && form && !clears:
		return "with button"
	case page && !form && !clears:
		return "by hand"
	case strings.HasPrefix(got, "HTTP/1.1 431 ") && strings.Contains(head, "\r\nContent-Type: application/problem+json\r\n") && !clears:
		return "problem"
	case strings.HasPrefix(got, "HTTP/1.1 303 ") && clears && strings.Contains(head, "\r\nLocation: ?\r\n") && text == "":
		return "deleted"
	}
	return "something else"
}

// TestSlowOverlong: who never ends a head that is too long is told so after the time
// that a head has.
func TestSlowOverlong(t *testing.T) {
	o := patient
	o.HeaderTimeout = short
	s := start(t, o, body)
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n" + opens + "Cookie: " + strings.Repeat("a", 3000))); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 431 ") {
		t.Errorf("%q, %v", line, err)
	}
}

// FuzzOverlong: whatever stands in a head that is too long, it is answered with one of
// the fixed answers, and cookies are deleted only where the browser vouches for it.
func FuzzOverlong(f *testing.F) {
	s := start(f, patient, body)
	for _, seed := range []string{chromium + presses, presses, chromium + opens, strings.Replace(presses, "same-origin", "same-site", 1) + chromium, "A: b\n\n", "\r\n\r\n", "Cookie: \r\nCookie", strings.Repeat("a", 2000)} {
		f.Add(button, seed)
		f.Add("GET /x HTTP/1.1\r\nHost: x\r\n", seed)
	}
	f.Fuzz(func(t *testing.T, start, fields string) {
		if len(start)+len(fields) > 8000 {
			t.Skip("the peer may be gone before all is sent")
		}
		got := talk(t, s, start+"Cookie: "+strings.Repeat("c", 1100)+"\r\n"+fields+"\r\n\r\n")
		kind := kindOf(got)
		if !strings.HasPrefix(got, "HTTP/1.1 400 ") && !strings.HasPrefix(got, "HTTP/1.1 405 ") && !strings.HasPrefix(got, "HTTP/1.1 417 ") && !strings.HasPrefix(got, "HTTP/1.1 200 ") && kind == "something else" {
			t.Errorf("%q, %q: %.200q", start, fields, got)
		}
		for _, vouched := range []string{"POST ", "same-origin", "navigate", "document", "?1", `"Chromium"`, "?coatcheck-delete-cookies "} {
			if kind == "deleted" && !strings.Contains(start+fields, vouched) {
				t.Errorf("deleted without %q: %q, %q", vouched, start, fields)
			}
		}
	})
}
