package server

import (
	"slices"
	"strings"
)

// advise says what to do about a refusal: the faults that people make first, each
// found in the request itself. It may repeat the configuration's names, and of the
// request what the person who asks has typed.
func (t *trailer) advise(p *Problem) {
	x := t.x
	switch p.Code {
	case errUnknownHost.Code:
		t.adviseHost()
	case errOrigin.Code:
		t.adviseOrigin()
	case errUndetermined.Code:
		t.say("advice", "A page says so by its Origin, which fetch sends; a program by X-Frontend, without Origin and Sec-Fetch-Site. Or give each frontend a base_path.")
	case errCrossSite.Code:
		t.say("advice", "Page and host must be one site, and the page's origin be listed. Links, images and documents send no Origin to a shared host: use fetch, or crossorigin=\"use-credentials\".")
	case errCSRFHeader.Code:
		t.say("advice", "Send X-CSRF: 1 with it, as the browser client does; a form cannot.")
	case errDestination.Code:
		t.say("advice", "Scripts and workers come from the application's own files, never from an API. isolate: false on the route would let this API's code run as the page's own.")
	case errBadPath.Code:
		t.say("advice", "No dot segments, no backslash, no control bytes, no // in front, no broken escapes; %%2F only on a route with encoded_slash: pass.")
	case errMethod.Code:
		t.adviseMethod()
	case errNotFound.Code:
		if x.frontend != nil && x.route == nil {
			t.adviseRoute()
		}
	}
}

func (t *trailer) adviseHost() {
	x := t.x
	var hosts []string
	for name := range x.snapshot.hosts {
		hosts = append(hosts, name)
	}
	slices.Sort(hosts)
	t.say("advice", "Hosts known here: %s.", strings.Join(hosts, ", "))
	if _, n := x.head.Get("x-forwarded-host"); n > 0 && !x.trusted {
		t.say("", "X-Forwarded-Host is believed from trusted_proxies only, and the peer %s is none.", x.peer)
		return
	}
	t.say("", "A proxy in front may have rewritten Host: nginx needs proxy_set_header Host $host, Vite changeOrigin: false (a target that is a bare string means true).")
}

func (t *trailer) adviseOrigin() {
	x := t.x
	given := string(x.origin)
	var listed []string
	for _, f := range x.snapshot.frontends {
		listed = append(listed, f.origins...)
	}
	slices.Sort(listed)
	for _, o := range listed {
		if originHost(o) == originHost(given) && o != given {
			t.say("advice", "%s is listed: the origin sent differs from it in scheme or port only. Origins are compared letter by letter.", o)
			return
		}
	}
	if x.origins > 1 {
		t.say("advice", "Origin came more than once.")
		return
	}
	t.say("advice", "Listed: %s. localhost and 127.0.0.1 are different, and so is www.", strings.Join(slices.Compact(listed), ", "))
}

func (t *trailer) adviseMethod() {
	x := t.x
	switch {
	case x.endpoint != nil && x.endpoint.path == "/bff/logout":
		t.say("advice", "Signing out is POST only: browsers and mail scanners fetch links ahead, and would sign people out.")
	case x.endpoint != nil:
		t.say("advice", "This address takes %s.", x.endpoint.allow)
	case x.route != nil:
		t.say("advice", "Add the method to the route's methods, if pages need it.")
	}
}

func (t *trailer) adviseRoute() {
	x := t.x
	var prefixes []string
	for _, r := range x.frontend.routes {
		if string(x.target.path)+"/" == r.prefix {
			t.say("advice", "The route %s takes what is below it; %s itself is not: add the slash.", r.prefix, x.target.path)
			return
		}
		prefixes = append(prefixes, r.prefix)
	}
	if x.isBFF() {
		t.say("advice", "/bff/ is Coatcheck's own: login, logout, session, sessions, client.js.")
		return
	}
	t.say("advice", "Routes of %s: %s. Letters count as written.", x.frontend.name, strings.Join(prefixes, ", "))
}

// wrapped breaks a line of the trail between its words, below where its text began.
func wrapped(line string) []string {
	const width, margin = 92, 10
	var lines []string
	for len(line) > width {
		i := strings.LastIndexByte(line[:width], ' ')
		if i <= margin {
			break
		}
		lines = append(lines, line[:i])
		line = strings.Repeat(" ", margin) + line[i+1:]
	}
	return append(lines, line)
}
