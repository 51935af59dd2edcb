package browser

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Page is a document of an origin in a tab.
type Page struct {
	*Browser
	// Origin is that of the document, "null" in a sandbox.
	Origin string
}

// Page opens a tab with a page of an origin, without loading it.
func (b *Browser) Page(origin string) *Page { return &Page{b, origin} }

// Request is what a page's script asks for.
type Request struct {
	Method, URL, Body string
	// Header of the script; the browser's own cannot be set.
	Header map[string]string
	// Mode: cors (default), no-cors.
	Mode string
	// Dest is "empty" for fetch; script, image … for elements.
	Dest string
	// Omit leaves cookies out (credentials: "omit").
	Omit bool
}

var simpleTypes = []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}

// preflighted reports whether a request across origins needs a preflight.
func (q Request) preflighted() bool {
	if !slices.Contains([]string{"GET", "HEAD", "POST"}, q.Method) {
		return true
	}
	for name, value := range q.Header {
		switch strings.ToLower(name) {
		case "accept", "accept-language":
		case "content-type":
			kind, _, _ := strings.Cut(value, ";")
			if !slices.Contains(simpleTypes, strings.ToLower(strings.TrimSpace(kind))) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// Fetch asks as fetch(url, {credentials: "include"}) does, and follows redirects.
func (p *Page) Fetch(q Request) *Answer {
	q.Method, q.Mode, q.Dest = or(q.Method, "GET"), or(q.Mode, "cors"), or(q.Dest, "empty")
	u, err := url.Parse(q.URL)
	if err != nil {
		return &Answer{Blocked: "not an address", Err: err}
	}
	across := p.Origin != u.Scheme+"://"+u.Host
	if across && q.preflighted() {
		if q.Mode == "no-cors" {
			return &Answer{Blocked: "no-cors allows no such request"}
		}
		if why := p.preflight(q, u); why != "" {
			return &Answer{Blocked: why}
		}
	}
	header := http.Header{}
	for name, value := range q.Header {
		header.Set(name, value)
	}
	return p.follow(q, u, header, across)
}

func (p *Page) follow(q Request, u *url.URL, header http.Header, across bool) *Answer {
	var chain, sets []string
	worst := relation(p.Origin, u)
	for range 8 {
		origin := ""
		if across && q.Mode == "cors" || q.Method != "GET" && q.Method != "HEAD" {
			origin = p.Origin
		}
		same := worst != "cross-site"
		cookies := ""
		if !q.Omit {
			cookies = p.cookieHeader(u, same, false)
		}
		a := p.send(request{method: q.Method, body: q.Body, origin: origin, site: worst, mode: q.Mode, dest: q.Dest, to: u, header: header, cookies: cookies})
		p.keep(a, same && !q.Omit)
		chain, sets = append(chain, u.String()), append(sets, a.Sets...)
		a.Chain, a.Sets = chain, sets
		a.Readable = !across || q.Mode == "cors" && allows(a.Header, p.Origin)
		next := a.next()
		if next == nil {
			return a
		}
		if q.Mode == "cors" && across && !a.Readable {
			a.Blocked = "redirect without CORS"
			return a
		}
		if next.Host != u.Host {
			across = true
			worst = worse(worst, relation(p.Origin, next))
		}
		if a.Status == 303 || q.Method == "POST" && a.Status < 303 {
			q.Method, q.Body = "GET", ""
		}
		u = next
	}
	return &Answer{Blocked: "too many redirects", Chain: chain, Sets: sets}
}

// lenient is an address as browsers read it (URL Standard, 4.4): without tabs and line
// breaks, and with backslashes for slashes.
func lenient(address string) string {
	return strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(address)
}

// next is where an answer leads; nil: nowhere.
func (a *Answer) next() *url.URL {
	if a.Err != nil || a.Status < 301 || a.Status > 308 || a.Status == 304 {
		return nil
	}
	base, _ := url.Parse(a.URL)
	to, err := base.Parse(lenient(a.Header.Get("Location")))
	if err != nil || a.Header.Get("Location") == "" {
		return nil
	}
	return to
}

func worse(a, b string) string {
	order := []string{"none", "same-origin", "same-site", "cross-site"}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// allows reports whether an answer lets scripts of an origin read it, with cookies.
func allows(h http.Header, origin string) bool {
	return len(h["Access-Control-Allow-Origin"]) == 1 && h.Get("Access-Control-Allow-Origin") == origin && h.Get("Access-Control-Allow-Credentials") == "true"
}

// preflight asks for leave; the text says why there is none.
func (p *Page) preflight(q Request, u *url.URL) string {
	header := http.Header{"Access-Control-Request-Method": {q.Method}}
	var names []string
	for name := range q.Header {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	if len(names) > 0 {
		header.Set("Access-Control-Request-Headers", strings.Join(names, ","))
	}
	a := p.send(request{method: "OPTIONS", origin: p.Origin, site: relation(p.Origin, u), mode: "cors", dest: "empty", to: u, header: header})
	switch {
	case a.Err != nil || a.Status < 200 || a.Status > 299:
		return "the preflight was refused"
	case !allows(a.Header, p.Origin):
		return "the preflight allows another origin, or none"
	case !listed(a.Header.Get("Access-Control-Allow-Methods"), q.Method) && q.Method != "POST" && q.Method != "GET":
		return "the preflight does not allow the method"
	}
	for _, name := range names {
		if !listed(a.Header.Get("Access-Control-Allow-Headers"), name) && name != "accept" {
			return "the preflight does not allow " + name
		}
	}
	return ""
}

func listed(list, name string) bool {
	for part := range strings.SplitSeq(list, ",") {
		if strings.EqualFold(strings.TrimSpace(part), name) {
			return true
		}
	}
	return false
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
