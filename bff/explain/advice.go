package explain

import (
	"slices"
	"strings"

	"coatcheck/bff/problem"
	"coatcheck/bff/routing"
)

// advise says what to do about a refusal: the mistakes that people make first, each
// found in the request itself. It may repeat the configuration's names, and of the
// request what the person who asks has typed.
func (e *explainer) advise(p *problem.Problem) {
	switch p.Code {
	case problem.UnknownHost.Code:
		adviseHost(e)
	case problem.OriginNotAllowed.Code:
		adviseOrigin(e)
	case problem.FrontendUndetermined.Code:
		e.say("advice", "A page is recognised by its Origin, which fetch sends; a navigation to /bff/login by frontend=NAME; a program by X-Frontend, without Origin and Sec-Fetch-Site. Or give each frontend a base_path.")
	case problem.CrossSiteRequest.Code:
		if e.call.Decision.OpensAgain(&e.call.Request) && e.call.Request.Navigates() {
			e.say("advice", "A link on another site led here. navigation: allow on a GET route lets such links and downloads through (with cookie.same_site: lax, or nobody is signed in); otherwise the person sees a page that leads on.")
			return
		}
		e.say("advice", "Page and host must be one site, and the page's origin must be listed. Links, images and documents send no Origin to a shared host: use fetch, or crossorigin=\"use-credentials\".")
	case problem.CSRFHeaderMissing.Code:
		e.say("advice", "Send X-CSRF: 1 with the request, as the browser client does. A form and sendBeacon cannot: fetch with keepalive, or csrf_header: off on the route.")
	case problem.NavigationRequired.Code:
		e.say("advice", "A person goes there: location.assign(…), a link, or a form. A fetch cannot follow to the provider, and a frame gets no cookie.")
	case problem.PrefetchRefused.Code:
		e.say("advice", "Turn prefetching off for this link: it begins a sign-in.")
	case problem.ForbiddenDestination.Code:
		e.say("advice", "Scripts and workers come from the application's own files, never from an API. isolate: false on the route would let this API's code run as the page's own.")
	case problem.BadPath.Code:
		e.say("advice", "No dot segments, no backslash, no control bytes, no // at the start, no broken escapes, no ASCII in the long forms that UTF-8 does not have (%%c0%%ae); %%2F and %%5C only on a route with encoded_slash: pass.")
	case problem.MethodNotAllowed.Code:
		adviseMethod(e)
	case problem.NotFound.Code:
		if e.call.Frontend() != nil && e.call.Route() == nil {
			adviseRoute(e)
		}
	}
}

func adviseHost(e *explainer) {
	r := &e.call.Request
	e.say("advice", "Known hosts: %s.", strings.Join(e.table.Hosts(), ", "))
	if _, n := r.Head.Get("x-forwarded-host"); n > 0 && !r.Trusted {
		e.say("", "X-Forwarded-Host counts only from trusted_proxies, and the peer %s is not one of them.", r.Peer)
		return
	}
	e.say("", "A reverse proxy may have rewritten Host: nginx needs proxy_set_header Host $host, Vite changeOrigin: false (a target that is a bare string means true).")
}

func adviseOrigin(e *explainer) {
	r := &e.call.Request
	given := string(r.Origin)
	var listed []string
	for _, f := range e.table.Frontends {
		listed = append(listed, f.Config.Origins...)
	}
	slices.Sort(listed)
	for _, o := range listed {
		if routing.OriginHost(o) == routing.OriginHost(given) && o != given {
			e.say("advice", "%s is listed: the origin sent differs from it in scheme or port only. Origins are compared byte for byte.", o)
			return
		}
	}
	if r.Origins > 1 {
		e.say("advice", "The request has more than one Origin header.")
		return
	}
	e.say("advice", "Listed: %s. localhost and 127.0.0.1 are different origins, and so are names with and without www.", strings.Join(slices.Compact(listed), ", "))
}

func adviseMethod(e *explainer) {
	switch d := &e.call.Decision; {
	case d.Endpoint != nil && d.Endpoint.ID == routing.Logout:
		e.say("advice", "Signing out is POST only: browsers and mail scanners fetch links ahead, and would sign people out.")
	case d.Endpoint != nil:
		e.say("advice", "This address takes %s.", d.Endpoint.Allow)
	case d.Route != nil:
		e.say("advice", "The route takes %s. Add the method to the route's methods if pages need it.", d.Route.Allow)
	}
}

func adviseRoute(e *explainer) {
	d := &e.call.Decision
	var prefixes []string
	for _, r := range d.Frontend.Routes {
		if string(d.Target.Path)+"/" == r.Prefix {
			e.say("advice", "The route %s takes what is below it, not %s itself: add the slash.", r.Prefix, d.Target.Path)
			return
		}
		prefixes = append(prefixes, r.Prefix)
	}
	if d.IsBFF {
		e.say("advice", "/bff/ is Coatcheck's own: login, logout, session, sessions, client.js.")
		return
	}
	e.say("advice", "Routes of %s: %s. Paths are case-sensitive.", d.Frontend.Name, strings.Join(prefixes, ", "))
}
