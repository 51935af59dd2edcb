package cases

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// upward is a case about a header that a browser's owner can set, and APIs may believe.
func upward(id, name, value string, severity suite.Severity) suite.Case {
	source := asvs("4.1.3")
	if !slices.Contains([]string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"}, name) {
		source = expectation("APIs and frameworks believe this name, whoever set it")
	}
	return one(id, severity, source, "Headers that intermediaries set cannot be overridden by the end-user.", name+" does not reach the API as the caller wrote it", func(t *suite.T) {
		if t.S.Edge.Get(name) != "" {
			t.Skip("the end of TLS in front sets it")
		}
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		t.Wired(tab, "GET", t.S.API+mark, name+": "+value)
		for _, c := range t.W.API.Calls(mark) {
			for seen, values := range c.Header {
				if strings.EqualFold(strings.ReplaceAll(seen, "_", "-"), strings.ReplaceAll(name, "_", "-")) {
					last := values[len(values)-1]
					parts := strings.Split(last, ",")
					t.FailIf(strings.TrimSpace(parts[len(parts)-1]) == value, "the API got %s: %s", seen, last)
				}
			}
		}
	})
}

// downward is a case about a header of the API's answer.
func downward(id, name, value string, severity suite.Severity, why string) suite.Case {
	return one(id, severity, expectation(why), "What an API says to its clients is not what the page's origin says.", name+" of the API does not reach the browser", func(t *suite.T) {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.Control(tab)
		t.W.API.Say(mark, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()[name] = []string{value}
			if name == "Connection" {
				w.Header().Set("X-Mine", "of the API")
			}
		})
		w, calls := t.Wired(tab, "GET", t.S.API+mark, "")
		if len(calls) == 0 || len(w.Answers) == 0 {
			t.Stuck("no call")
		}
		got := w.Answers[0].Header
		if name == "Connection" {
			t.FailIf(got.Get("X-Mine") != "", "the browser got the header that Connection names")
			return
		}
		t.FailIf(strings.Contains(fmt.Sprint(got[http.CanonicalHeaderKey(name)]), value), "the browser got %s: %s", name, value)
	})
}

func headers() []suite.Case {
	cases := []suite.Case{
		upward("headers-forwarded-for", "X-Forwarded-For", "203.0.113.77", suite.Medium),
		upward("headers-forwarded-proto", "X-Forwarded-Proto", "gopher", suite.Medium),
		upward("headers-forwarded-host", "X-Forwarded-Host", "attacker.test", suite.Medium),
		upward("headers-forwarded-port", "X-Forwarded-Port", "6666", suite.Low),
		upward("headers-forwarded-prefix", "X-Forwarded-Prefix", "/evil", suite.Low),
		upward("headers-forwarded", "Forwarded", "for=203.0.113.77", suite.Low),
		upward("headers-real-ip", "X-Real-IP", "203.0.113.77", suite.Low),
		upward("headers-client-ip", "X-Client-IP", "203.0.113.77", suite.Low),
		upward("headers-true-client-ip", "True-Client-IP", "203.0.113.77", suite.Low),
		upward("headers-cf-connecting-ip", "CF-Connecting-IP", "203.0.113.77", suite.Low),
		upward("headers-original-url", "X-Original-URL", "/internal", suite.Low),
		upward("headers-rewrite-url", "X-Rewrite-URL", "/internal", suite.Low),
		upward("headers-original-host", "X-Original-Host", "attacker.test", suite.Low),
		upward("headers-method-override", "X-HTTP-Method-Override", "DELETE", suite.Medium),
		upward("headers-forwarded-user", "X-Forwarded-User", "root", suite.Medium),
		upward("headers-forwarded-email", "X-Forwarded-Email", "root@id.test", suite.Medium),
		upward("headers-forwarded-groups", "X-Forwarded-Groups", "admins", suite.Medium),
		upward("headers-forwarded-token", "X-Forwarded-Access-Token", "forged", suite.Medium),
		upward("headers-proxy", "Proxy", "http://attacker.test", suite.Low),
		upward("headers-proxy-authorization", "Proxy-Authorization", "Basic forged", suite.Low),
		upward("headers-underscore", "X_Forwarded_For", "203.0.113.77", suite.Low),
		upward("headers-middleware", "X-Middleware-Subrequest", "middleware", suite.Low),
		upward("headers-accel", "X-Accel-Internal", "/internal", suite.Low),
		upward("headers-via", "Via", "1.1 forged", suite.Low),
		downward("headers-answer-cookie", "Set-Cookie", "tracking=1; Path=/", suite.Low, "an API's cookie would be one of the page's origin, and come back to the BFF"),
		downward("headers-answer-challenge", "Www-Authenticate", `Basic realm="api"`, suite.Low, "browsers ask people for a password where a challenge reaches them"),
		downward("headers-answer-clear", "Clear-Site-Data", `"cookies"`, suite.Medium, "in Chromium it signs every sibling of the site out"),
		downward("headers-answer-worker", "Service-Worker-Allowed", "/", suite.Medium, "it widens what a service worker of the API's path may control"),
		downward("headers-answer-transport", "Strict-Transport-Security", "max-age=0", suite.Low, "it is about the page's host"),
		downward("headers-answer-service", "Alt-Svc", `h3="attacker.test:443"`, suite.Low, "it moves the page's host elsewhere"),
		downward("headers-answer-refresh", "Refresh", "0; url=https://attacker.test/", suite.Low, "it leads a page away"),
		downward("headers-answer-accel", "X-Accel-Redirect", "/internal", suite.Low, "nginx in front would serve a file of its own"),
		downward("headers-answer-sendfile", "X-Sendfile", "/etc/passwd", suite.Low, "a server in front would serve a file of its own"),
		downward("headers-answer-server", "Server", "api/1.2.3", suite.Low, "it tells strangers what to look up"),
		downward("headers-answer-powered", "X-Powered-By", "api/1.2.3", suite.Low, "it tells strangers what to look up"),
		downward("headers-answer-nel", "Nel", `{"report_to":"x","max_age":9}`, suite.Low, "it reports the page's visitors to somebody"),
		downward("headers-answer-hop", "Keep-Alive", "timeout=77", suite.Low, "RFC 9110, 7.6.1: it is about one connection"),
	}
	return append(cases, documents()...)
}

// documents are answers that a browser may show or run.
func documents() []suite.Case {
	html := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<script>fetch('/api/steal')</script>"))
	}
	said := func(t *suite.T) http.Header {
		tab, mark := t.SignIn(world.Ada), t.W.Mark()
		t.W.API.Say(mark, html)
		a := tab.Get(t.S.API + mark)
		if a.Status != 200 {
			t.Stuck("%d", a.Status)
		}
		return a.Header
	}
	return []suite.Case{
		one("headers-html", suite.Medium, expectation("an upload or a debug page of the API, opened in a tab, would be a script of the page's origin"), "An API's HTML is no page of the frontend.", "it comes with a sandbox, or as a download", func(t *suite.T) {
			h := said(t)
			t.FailIf(!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") && !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") && strings.Contains(h.Get("Content-Type"), "html"),
				"Content-Security-Policy: %q", h.Get("Content-Security-Policy"))
		}),
		one("headers-nosniff", suite.Low, asvs("3.4.4"), "Answers say nosniff.", "X-Content-Type-Options: nosniff on a proxied answer", func(t *suite.T) {
			t.FailIf(!strings.EqualFold(said(t).Get("X-Content-Type-Options"), "nosniff"), "it is missing")
		}),
		one("headers-resource-policy", suite.Low, asvs("3.5.8"), "Authenticated resources can be embedded only where intended.", "Cross-Origin-Resource-Policy on a proxied answer", func(t *suite.T) {
			t.FailIf(said(t).Get("Cross-Origin-Resource-Policy") == "", "it is missing")
		}),
		one("headers-error-detail", suite.Low, asvs("16.5.1"), "Errors expose nothing of the inside.", "the error of a broken connection does not name the API's address", func(t *suite.T) {
			a := brokenCall(t, t.SignIn(world.Ada))
			t.FailIf(strings.Contains(text(a), t.W.API.Address()), "it does")
		}),
		one("headers-redirect", suite.High, asvs("15.3.2"), "Calls to other addresses do not follow redirects.", "a redirect of the API to another host is not followed with the token", func(t *suite.T) {
			tab, mark := t.SignIn(world.Ada), t.W.Mark()
			other := t.W.Mark()
			t.W.API.Say(mark, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://"+t.W.API.Address()+"/elsewhere/"+other, http.StatusTemporaryRedirect)
			})
			t.Wired(tab, "GET", t.S.API+mark, "")
			t.FailIf(len(t.W.API.Calls(other)) > 0, "it is")
		}),
	}
}
