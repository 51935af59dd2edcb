package server

import "testing"

// TestGuard is the guard's truth table. Every row says who calls.
func TestGuard(t *testing.T) {
	none := (*Problem)(nil)
	// Base: a GET without any of the headers, to a frontend with csrf_header: unsafe
	// whose pages live at the host called, on a route with isolate.
	base := ask{safe: true, get: true, pagesLiveHere: true, csrfRequired: true, isolate: true}
	post := func(a *ask) { a.safe, a.get = false, false }
	own := func(a *ask) { a.origins, a.originListed = 1, true }
	alien := func(a *ask) { a.origins, a.originListed = 1, false }
	site := func(s string) func(*ask) { return func(a *ask) { a.site, a.sites = s, 1 } }
	csrf := func(a *ask) { a.csrfHeader, a.xcsrf = true, true }
	xsrf := func(a *ask) { a.csrfHeader = true }
	off := func(a *ask) { a.csrfRequired = false }
	away := func(a *ask) { a.pagesLiveHere = false }
	shake := func(a *ask) { a.handshake = true }
	code := func(a *ask) { a.becomesCode = true }
	open := func(a *ask) { a.isolate = false }
	options := func(a *ask) { a.get = false }

	rows := []struct {
		who    string
		how    []func(*ask)
		expect *Problem
	}{
		{"curl reads", nil, none},
		{"curl writes", []func(*ask){post}, errCSRFHeader},
		{"curl writes and says so", []func(*ask){post, csrf}, none},
		{"curl writes with axios's header", []func(*ask){post, xsrf}, none},
		{"curl writes, csrf_header off", []func(*ask){post, off}, errCSRFHeader},
		{"curl writes and says so, csrf_header off", []func(*ask){post, off, csrf}, none},

		{"own page reads, old browser", []func(*ask){own}, none},
		{"own page reads", []func(*ask){site("same-origin")}, none},
		{"own page reads, with Origin", []func(*ask){own, site("same-origin")}, none},
		{"own page writes", []func(*ask){post, own, site("same-origin"), csrf}, none},
		{"own page writes, without Origin", []func(*ask){post, site("same-origin"), csrf}, none},
		{"own page writes without the header", []func(*ask){post, own, site("same-origin")}, errCSRFHeader},
		{"own page writes without the header, csrf_header off", []func(*ask){post, own, site("same-origin"), off}, none},
		{"own page writes without Origin and header, csrf_header off", []func(*ask){post, site("same-origin"), off}, none},
		{"old browser's own page writes without the header, csrf_header off", []func(*ask){post, own, off}, none},
		{"shared host: own page reads", []func(*ask){away, own, site("same-site")}, none},
		{"shared host: own page writes", []func(*ask){away, post, own, site("same-site"), csrf}, none},
		{"shared host: an image", []func(*ask){away, site("same-site")}, errCrossSite},
		{"shared host: a page on the host itself, which has no pages", []func(*ask){away, site("same-origin")}, errCrossSite},

		{"sibling reads", []func(*ask){alien, site("same-site")}, errOrigin},
		{"sibling's image", []func(*ask){site("same-site")}, errCrossSite},
		{"sibling's form", []func(*ask){post, alien, site("same-site")}, errOrigin},
		{"sibling's form, no Origin", []func(*ask){post, site("same-site")}, errCrossSite},
		{"sibling's form with the header, no Origin", []func(*ask){post, site("same-site"), csrf}, errCrossSite},
		{"stranger reads", []func(*ask){alien, site("cross-site")}, errOrigin},
		{"stranger's image", []func(*ask){site("cross-site")}, errCrossSite},
		{"stranger's form", []func(*ask){post, alien, site("cross-site"), csrf}, errOrigin},
		{"listed origin called cross-site", []func(*ask){own, site("cross-site")}, errCrossSite},
		{"sandboxed page: Origin null", []func(*ask){alien, csrf}, errOrigin},
		{"two Origins, one of them listed", []func(*ask){func(a *ask) { a.origins = 2 }}, errOrigin},
		{"two Sec-Fetch-Site", []func(*ask){own, func(a *ask) { a.site, a.sites = "same-origin", 2 }}, errCrossSite},
		{"empty Sec-Fetch-Site", []func(*ask){own, site("")}, errCrossSite},
		{"unknown Sec-Fetch-Site", []func(*ask){own, site("Same-Origin")}, errCrossSite},

		{"person types the address", []func(*ask){site("none")}, none},
		{"browser itself writes", []func(*ask){post, site("none"), csrf}, errCrossSite},
		{"browser itself asks OPTIONS", []func(*ask){options, site("none")}, errCrossSite},
		{"OPTIONS without anything", []func(*ask){options}, none},

		{"own page opens a WebSocket", []func(*ask){shake, own}, none},
		{"own page opens a WebSocket, Firefox", []func(*ask){shake, own, site("same-origin")}, none},
		{"own page opens a WebSocket, Sec-Fetch-Site not looked at", []func(*ask){shake, own, site("cross-site")}, none},
		{"sibling opens a WebSocket", []func(*ask){shake, alien}, errOrigin},
		{"program opens a WebSocket", []func(*ask){shake}, errCSRFHeader},
		{"program opens a WebSocket and says so", []func(*ask){shake, csrf}, none},
		{"program opens a WebSocket with axios's header", []func(*ask){shake, xsrf}, errCSRFHeader},

		{"own page loads an answer as a script", []func(*ask){site("same-origin"), code}, errDestination},
		{"own page registers a service worker", []func(*ask){own, code}, errDestination},
		{"the same on a route without isolate", []func(*ask){site("same-origin"), code, open}, none},
		{"stranger's script tag", []func(*ask){site("cross-site"), code}, errCrossSite},
	}
	for _, row := range rows {
		t.Run(row.who, func(t *testing.T) {
			a := base
			for _, change := range row.how {
				change(&a)
			}
			if got := guard(a); got != row.expect {
				t.Errorf("got %v, want %v", got, row.expect)
			}
		})
	}
}

// TestGuardDefaults: an ask that says nothing is refused.
func TestGuardDefaults(t *testing.T) {
	if guard(ask{}) == nil {
		t.Error("the zero ask passes")
	}
}
