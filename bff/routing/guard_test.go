package routing

import (
	"testing"

	"coatcheck/bff/problem"
)

// TestGuard is the guard's truth table. Every row says who calls.
func TestGuard(t *testing.T) {
	none := (*problem.Problem)(nil)
	// Base: a GET without any of the headers, to a frontend with csrf_header: unsafe
	// whose pages live at the host called, on a route with isolate.
	base := guardInput{safe: true, reads: true, pagesLiveHere: true, csrfRequired: true, isolate: true}
	post := func(a *guardInput) { a.safe, a.reads = false, false }
	own := func(a *guardInput) { a.origins, a.originListed = 1, true }
	alien := func(a *guardInput) { a.origins, a.originListed = 1, false }
	site := func(s string) func(*guardInput) { return func(a *guardInput) { a.site, a.sites = []byte(s), 1 } }
	csrf := func(a *guardInput) { a.csrfHeader, a.xcsrf = true, true }
	xsrf := func(a *guardInput) { a.csrfHeader = true }
	off := func(a *guardInput) { a.csrfRequired = false }
	away := func(a *guardInput) { a.pagesLiveHere = false }
	shake := func(a *guardInput) { a.handshake = true }
	code := func(a *guardInput) { a.becomesCode = true }
	open := func(a *guardInput) { a.isolate = false }
	opens := func(a *guardInput) { a.navigation = true }
	options := func(a *guardInput) { a.reads = false }

	rows := []struct {
		who    string
		how    []func(*guardInput)
		expect *problem.Problem
	}{
		{"curl reads", nil, none},
		{"curl writes", []func(*guardInput){post}, problem.CSRFHeaderMissing},
		{"curl writes and says so", []func(*guardInput){post, csrf}, none},
		{"curl writes with axios's header", []func(*guardInput){post, xsrf}, none},
		{"curl writes, csrf_header off", []func(*guardInput){post, off}, problem.CSRFHeaderMissing},
		{"curl writes and says so, csrf_header off", []func(*guardInput){post, off, csrf}, none},

		{"own page reads, old browser", []func(*guardInput){own}, none},
		{"own page reads", []func(*guardInput){site("same-origin")}, none},
		{"own page reads, with Origin", []func(*guardInput){own, site("same-origin")}, none},
		{"own page writes", []func(*guardInput){post, own, site("same-origin"), csrf}, none},
		{"own page writes, without Origin", []func(*guardInput){post, site("same-origin"), csrf}, none},
		{"own page writes without the header", []func(*guardInput){post, own, site("same-origin")}, problem.CSRFHeaderMissing},
		{"own page writes without the header, csrf_header off", []func(*guardInput){post, own, site("same-origin"), off}, none},
		{"own page writes without Origin and header, csrf_header off", []func(*guardInput){post, site("same-origin"), off}, none},
		{"old browser's own page writes without the header, csrf_header off", []func(*guardInput){post, own, off}, none},
		{"shared host: own page reads", []func(*guardInput){away, own, site("same-site")}, none},
		{"shared host: own page writes", []func(*guardInput){away, post, own, site("same-site"), csrf}, none},
		{"shared host: an image", []func(*guardInput){away, site("same-site")}, problem.CrossSiteRequest},
		{"shared host: a page on the host itself, which has no pages", []func(*guardInput){away, site("same-origin")}, problem.CrossSiteRequest},

		{"sibling reads", []func(*guardInput){alien, site("same-site")}, problem.OriginNotAllowed},
		{"sibling's image", []func(*guardInput){site("same-site")}, problem.CrossSiteRequest},
		{"sibling's form", []func(*guardInput){post, alien, site("same-site")}, problem.OriginNotAllowed},
		{"sibling's form, no Origin", []func(*guardInput){post, site("same-site")}, problem.CrossSiteRequest},
		{"sibling's form with the header, no Origin", []func(*guardInput){post, site("same-site"), csrf}, problem.CrossSiteRequest},
		{"stranger reads", []func(*guardInput){alien, site("cross-site")}, problem.OriginNotAllowed},
		{"stranger's image", []func(*guardInput){site("cross-site")}, problem.CrossSiteRequest},
		{"stranger's form", []func(*guardInput){post, alien, site("cross-site"), csrf}, problem.OriginNotAllowed},
		{"listed origin called cross-site", []func(*guardInput){own, site("cross-site")}, problem.CrossSiteRequest},
		{"sandboxed page: Origin null", []func(*guardInput){alien, csrf}, problem.OriginNotAllowed},
		{"two Origins, one of them listed", []func(*guardInput){func(a *guardInput) { a.origins = 2 }}, problem.OriginNotAllowed},
		{"two Sec-Fetch-Site", []func(*guardInput){own, func(a *guardInput) { a.site, a.sites = []byte("same-origin"), 2 }}, problem.CrossSiteRequest},
		{"empty Sec-Fetch-Site", []func(*guardInput){own, site("")}, problem.CrossSiteRequest},
		{"unknown Sec-Fetch-Site", []func(*guardInput){own, site("Same-Origin")}, problem.CrossSiteRequest},

		{"person types the address", []func(*guardInput){site("none")}, none},
		{"browser itself writes", []func(*guardInput){post, site("none"), csrf}, problem.CrossSiteRequest},
		{"browser itself asks OPTIONS", []func(*guardInput){options, site("none")}, problem.CrossSiteRequest},
		{"OPTIONS without anything", []func(*guardInput){options}, none},

		{"own page opens a WebSocket", []func(*guardInput){shake, own}, none},
		{"own page opens a WebSocket, Firefox", []func(*guardInput){shake, own, site("same-origin")}, none},
		{"own page opens a WebSocket, Sec-Fetch-Site not looked at", []func(*guardInput){shake, own, site("cross-site")}, none},
		{"sibling opens a WebSocket", []func(*guardInput){shake, alien}, problem.OriginNotAllowed},
		{"program opens a WebSocket", []func(*guardInput){shake}, problem.CSRFHeaderMissing},
		{"program opens a WebSocket and says so", []func(*guardInput){shake, csrf}, none},
		{"program opens a WebSocket with axios's header", []func(*guardInput){shake, xsrf}, problem.CSRFHeaderMissing},

		{"own page loads an answer as a script", []func(*guardInput){site("same-origin"), code}, problem.ForbiddenDestination},
		{"own page registers a service worker", []func(*guardInput){own, code}, problem.ForbiddenDestination},
		{"the same on a route without isolate", []func(*guardInput){site("same-origin"), code, open}, none},
		{"a link from a mail", []func(*guardInput){site("cross-site")}, problem.CrossSiteRequest},
		{"a link from a mail, navigation: allow", []func(*guardInput){site("cross-site"), opens}, none},
		{"a link from a sibling, navigation: allow", []func(*guardInput){site("same-site"), opens}, none},
		{"shared host: a link from the own page, navigation: allow", []func(*guardInput){away, site("same-site"), opens}, none},
		{"a link from a mail, with an Origin all the same", []func(*guardInput){site("cross-site"), opens, alien}, problem.OriginNotAllowed},
		{"a link from a mail, Sec-Fetch-Site twice", []func(*guardInput){opens, func(a *guardInput) { a.site, a.sites = []byte("cross-site"), 2 }}, problem.CrossSiteRequest},

		{"stranger's script tag", []func(*guardInput){site("cross-site"), code}, problem.CrossSiteRequest},
	}
	for _, row := range rows {
		t.Run(row.who, func(t *testing.T) {
			a := base
			for _, change := range row.how {
				change(&a)
			}
			if got := guard(&a); got != row.expect {
				t.Errorf("got %v, want %v", got, row.expect)
			}
		})
	}
}

// TestGuardDefaults: an input that says nothing is refused.
func TestGuardDefaults(t *testing.T) {
	if guard(&guardInput{}) == nil {
		t.Error("the zero input passes")
	}
}
