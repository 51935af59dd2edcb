// Package browser is a browser as far as a BFF can tell: a cookie jar with Chromium's
// rules (Secure, HttpOnly, SameSite, prefixes, Domain), pages with an origin, fetch with
// CORS, navigations, Fetch Metadata. It runs no script. Pages of attackers use it with
// the same limits as a real page has, so that a case shows what an attack would reach.
//
// The network is plain TCP: TLS ends in front of the subject, as in most deployments,
// and the browser stands for that end as well. What it believes about schemes follows
// its addresses.
package browser

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Cookie is one entry of the jar.
type Cookie struct {
	Name, Value, Domain, Path  string
	HostOnly, Secure, HTTPOnly bool
	SameSite                   http.SameSite
	Ends                       time.Time
	made                       int
}

// site is the registrable domain of a host, for the names of this suite: two labels.
// An address is a site of its own.
func site(host string) string {
	labels := strings.Split(host, ".")
	if len(labels) < 2 || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return host
	}
	return strings.Join(labels[len(labels)-2:], ".")
}

// relation is the value of Sec-Fetch-Site for a request from an origin.
func relation(origin string, to *url.URL) string {
	if origin == "" {
		return "none"
	}
	from, err := url.Parse(origin)
	switch {
	case err != nil || from.Scheme != to.Scheme || site(from.Hostname()) != site(to.Hostname()):
		return "cross-site"
	case from.Host == to.Host:
		return "same-origin"
	}
	return "same-site"
}

// store takes a cookie as Chromium does, or refuses it.
func (b *Browser) store(from *url.URL, c *http.Cookie, script bool) bool {
	host := from.Hostname()
	k := Cookie{Name: c.Name, Value: c.Value, Domain: host, HostOnly: true, Path: c.Path, Secure: c.Secure, HTTPOnly: c.HttpOnly, SameSite: c.SameSite}
	if domain := strings.TrimPrefix(c.Domain, "."); domain != "" {
		if domain != host && !strings.HasSuffix(host, "."+domain) || !strings.Contains(domain, ".") {
			return false
		}
		k.Domain, k.HostOnly = domain, false
	}
	if !strings.HasPrefix(k.Path, "/") {
		k.Path = "/"
	}
	if script && c.HttpOnly || !acceptable(k, from) {
		return false
	}
	k.Ends = c.Expires
	if c.MaxAge != 0 {
		k.Ends = time.Now().Add(time.Duration(c.MaxAge) * time.Second)
	}
	b.put(k, c.MaxAge < 0, script)
	return true
}

// acceptable reports whether scheme, prefix and SameSite of a cookie agree.
func acceptable(k Cookie, from *url.URL) bool {
	name := strings.ToLower(k.Name)
	secure := from.Scheme == "https" || from.Hostname() == "localhost"
	switch {
	case k.Secure && !secure,
		k.SameSite == http.SameSiteNoneMode && !k.Secure,
		strings.HasPrefix(name, "__secure-") && !k.Secure,
		strings.HasPrefix(name, "__host-") && (!k.Secure || !k.HostOnly || k.Path != "/"),
		(strings.HasPrefix(name, "__host-http-") || strings.HasPrefix(name, "__http-")) && !k.HTTPOnly,
		len(k.Name)+len(k.Value) > 4096:
		return false
	}
	return true
}

func (b *Browser) put(k Cookie, gone, script bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	k.made = b.count
	for i, old := range b.jar {
		if old.Name == k.Name && old.Domain == k.Domain && old.Path == k.Path && old.HostOnly == k.HostOnly {
			if script && old.HTTPOnly {
				return
			}
			k.made = old.made
			b.jar = append(b.jar[:i:i], b.jar[i+1:]...)
			break
		}
	}
	if !gone && (k.Ends.IsZero() || k.Ends.After(time.Now())) {
		b.jar = append(b.jar, k)
	}
}

// Cookies are those the browser would hold for an address, HttpOnly ones too.
func (b *Browser) Cookies(address string) []Cookie {
	u, err := url.Parse(address)
	if err != nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []Cookie
	for _, k := range b.jar {
		if k.fits(u) {
			found = append(found, k)
		}
	}
	return found
}

func (k Cookie) fits(u *url.URL) bool {
	host := u.Hostname()
	path := u.Path
	if path == "" {
		path = "/"
	}
	inPath := path == k.Path || strings.HasPrefix(path, strings.TrimSuffix(k.Path, "/")+"/")
	inHost := host == k.Domain || !k.HostOnly && strings.HasSuffix(host, "."+k.Domain)
	return inHost && inPath && (!k.Secure || u.Scheme == "https") && (k.Ends.IsZero() || k.Ends.After(time.Now()))
}

// Forget drops all cookies of an address' host.
func (b *Browser) Forget(address string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.jar = slices.DeleteFunc(b.jar, func(k Cookie) bool { return k.Domain == u.Hostname() })
}

// Put places a cookie into the jar as if its host had set it: for a person whose browser
// was signed in elsewhere, or somebody who stole a cookie.
func (b *Browser) Put(k Cookie) { b.put(k, false, false) }

// ScriptSets is document.cookie = text on a page of an origin; it reports whether the
// browser took it.
func (b *Browser) ScriptSets(origin, text string) bool {
	u, err := url.Parse(origin + "/")
	c, cookieErr := http.ParseSetCookie(text)
	return err == nil && cookieErr == nil && b.store(u, c, true)
}

// cookieHeader is what the browser sends along: longer paths first, then older ones.
func (b *Browser) cookieHeader(u *url.URL, sameSite, topLevelGet bool) string {
	var chosen []Cookie
	for _, k := range b.Cookies(u.String()) {
		if !sameSite && k.SameSite != http.SameSiteNoneMode && (k.SameSite == http.SameSiteStrictMode || !topLevelGet) {
			continue
		}
		chosen = append(chosen, k)
	}
	for i := range chosen {
		for j := i; j > 0 && before(chosen[j], chosen[j-1]); j-- {
			chosen[j], chosen[j-1] = chosen[j-1], chosen[j]
		}
	}
	pairs := make([]string, len(chosen))
	for i, k := range chosen {
		pairs[i] = k.Name + "=" + k.Value
	}
	return strings.Join(pairs, "; ")
}

func before(a, b Cookie) bool {
	if len(a.Path) != len(b.Path) {
		return len(a.Path) > len(b.Path)
	}
	return a.made < b.made
}
