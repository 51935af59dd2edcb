package browser

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var refresh = regexp.MustCompile(`(?i)<meta[^>]+http-equiv="?refresh"?[^>]+content="0;\s*url=([^"]*)"`)

// Navigate opens an address in a tab: from "" as if somebody typed it, else by a link on
// a page of that origin. It follows redirects and immediate refreshes.
func (b *Browser) Navigate(from, address string) *Answer {
	return b.travel(from, "GET", address, "", nil)
}

// Submit sends a form from a page of an origin, as a top-level navigation.
func (b *Browser) Submit(from, address string, form url.Values) *Answer {
	return b.travel(from, "POST", address, form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
}

// SubmitText is Submit with enctype="text/plain" and a body of the attacker's choice.
func (b *Browser) SubmitText(from, address, body string) *Answer {
	return b.travel(from, "POST", address, body, http.Header{"Content-Type": {"text/plain"}})
}

// Step is one request of a navigation: it follows nothing.
func (b *Browser) Step(from, method, address, body string, header http.Header) *Answer {
	u, err := url.Parse(address)
	if err != nil {
		return &Answer{Err: err}
	}
	a := b.hop(from, relation(from, u), method, body, u, header)
	a.Chain = []string{address}
	return a
}

// Next is where an answer redirects to; "" if it does not.
func (a *Answer) Next() string {
	if to := a.next(); to != nil {
		return to.String()
	}
	return ""
}

func (b *Browser) hop(from, site, method, body string, u *url.URL, header http.Header) *Answer {
	origin := ""
	if method != "GET" && from != "" {
		origin = from
	}
	a := b.send(request{method: method, body: body, origin: origin, site: site, mode: "navigate", dest: "document", to: u, header: header,
		cookies: b.cookieHeader(u, site != "cross-site", method == "GET")})
	b.keep(a, true)
	return a
}

func (b *Browser) travel(from, method, address, body string, header http.Header) *Answer {
	u, err := url.Parse(address)
	if err != nil {
		return &Answer{Err: err}
	}
	var chain, sets []string
	worst := relation(from, u)
	for range 16 {
		a := b.hop(from, worst, method, body, u, header)
		chain, sets = append(chain, u.String()), append(sets, a.Sets...)
		a.Chain, a.Sets, a.Readable = chain, sets, true
		next := a.next()
		if next == nil {
			if next = b.onward(a); next == nil {
				return a
			}
			from = u.Scheme + "://" + u.Host // the page itself goes on
			worst = relation(from, next)
		} else if from != "" {
			worst = worse(worst, relation(from, next))
		}
		if a.Status != 307 && a.Status != 308 {
			method, body, header = "GET", "", nil
		}
		if next.Fragment == "" {
			next.Fragment = u.Fragment
		}
		u = next
	}
	return &Answer{Blocked: "too many redirects", Chain: chain, Sets: sets}
}

// onward is where a page goes on to by itself.
func (b *Browser) onward(a *Answer) *url.URL {
	if b.Script != nil {
		if to, err := url.Parse(b.Script(b, a)); err == nil && to.Host != "" {
			return to
		}
	}
	return a.refreshed()
}

// refreshed is where a page sends its reader on at once.
func (a *Answer) refreshed() *url.URL {
	found := refresh.FindStringSubmatch(a.Body)
	if found == nil || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	base, _ := url.Parse(a.URL)
	to, err := base.Parse(lenient(html.UnescapeString(found[1])))
	if err != nil {
		return nil
	}
	return to
}

// Frame loads an address into a frame of a page: a navigation that is not top-level.
func (p *Page) Frame(address string) *Answer {
	u, err := url.Parse(address)
	if err != nil {
		return &Answer{Err: err}
	}
	site := relation(p.Origin, u)
	return p.send(request{method: "GET", site: site, mode: "navigate", dest: "iframe", to: u, cookies: p.cookieHeader(u, site != "cross-site", false)})
}
