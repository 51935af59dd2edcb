package window

import (
	"fmt"
	"net/http"
	"strings"

	"coatcheck/bff/conformance/cases/rules"
	"coatcheck/bff/conformance/suite"
	"coatcheck/bff/conformance/world"
)

// fromPage is a case in which a page of another origin, in her real browser, does
// something to the API as she.
func fromPage(id string, severity suite.Severity, source, says, pass, origin string, strike func(t *suite.T, w *suite.Window, page *suite.View, address, mark string)) suite.Case {
	return windowed(id, severity, source, says, pass, func(t *suite.T, w *suite.Window) {
		mark := t.W.Mark()
		strike(t, w, w.Open(origin), w.F.Base+w.F.API+mark, mark)
	})
}

// changing is one that tries to change something.
func changing(id, pass, origin string, strike func(t *suite.T, page *suite.View, address, mark string)) suite.Case {
	return fromPage(id, suite.Critical, rules.CSRF, rules.CSRFSays, pass, origin, func(t *suite.T, _ *suite.Window, page *suite.View, address, mark string) {
		strike(t, page, address, mark)
		t.FailIf(len(t.Bearing(mark)) > 0, "the call reached the API with her token")
	})
}

// fromElsewhere are the attacks whose end a real browser decides.
func fromElsewhere() []suite.Case {
	const reads = "Origins that may read are a fixed list; a wildcard or an echo is none."
	return []suite.Case{
		fromPage("browser-cross-site-read", suite.Critical, rules.ASVS("3.4.2"), reads, "a script on another site's page reads no answer of the API, by fetch with credentials", world.Attacker, reading),
		fromPage("browser-sibling-read", suite.Critical, rules.ASVS("3.4.2"), reads, "a script on a sibling's page reads no answer of the API, by fetch with credentials", world.Sibling, reading),
		changing("browser-cross-site-form", "a form that another site's page submits changes nothing", world.Attacker, submitting),
		changing("browser-sibling-form", "a form that a sibling's page submits changes nothing", world.Sibling, submitting),
		changing("browser-sibling-fetch", "fetch and sendBeacon on a sibling's page change nothing", world.Sibling, func(t *suite.T, page *suite.View, address, mark string) {
			page.Run(`fetch(%s, { method: "POST", mode: "no-cors", credentials: "include", body: "a=1" }).then(() => "", () => "")`, suite.JS(address+"/fetch"))
			page.Run(`String(navigator.sendBeacon(%s, "a=1"))`, suite.JS(address+"/beacon"))
			if !suite.Answered(t, mark+"/beacon") {
				t.Stuck("the beacon was not sent")
			}
		}),
		fromPage("browser-sibling-embed", suite.Medium, rules.ASVS("3.5.8"), "What needs a session is loaded on behalf of a person only where that is meant.",
			"an image, a script element and a frame on a sibling's page do not call the API with her token", world.Sibling, embedded),
		foreignSocket("browser-cross-site-socket", "Chromium opens no WebSocket as her from another site's page", world.Attacker),
		foreignSocket("browser-sibling-socket", "Chromium opens no WebSocket as her from a sibling's page", world.Sibling),
	}
}

func reading(t *suite.T, w *suite.Window, page *suite.View, address, mark string) {
	t.W.API.Say(mark, func(rw http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(rw, hers) })
	if said := w.Call(w.Own, "GET", w.F.API+mark, ""); !strings.Contains(said, hers) {
		t.Stuck("her own page cannot read it: %.200s", said)
	}
	for _, at := range []string{address, w.F.Base + w.F.Me} {
		said := page.Run(`fetch(%s, { credentials: "include" }).then(r => r.text(), () => "")`, suite.JS(at))
		t.FailIf(strings.Contains(said, hers) || strings.Contains(said, world.Ada.Email), "it read %.60q", said)
	}
}

func submitting(t *suite.T, page *suite.View, address, mark string) {
	_ = page.Eval(fmt.Sprintf(`{const f = document.body.appendChild(document.createElement("form")); f.method = "post"; f.action = %s; f.append(Object.assign(document.createElement("input"), { name: "amount", value: "1" })); f.submit()}`, suite.JS(address)), nil)
	if !suite.Answered(t, mark) {
		t.Stuck("the form was not sent")
	}
}

func embedded(t *suite.T, _ *suite.Window, page *suite.View, address, mark string) {
	for _, element := range []string{"img", "script", "iframe"} {
		page.Run(`new Promise(done => {
			const e = document.createElement(%s)
			e.onload = e.onerror = () => done("")
			e.src = %s
			document.body.append(e)
		})`, suite.JS(element), suite.JS(address+"/"+element))
	}
	t.FailIf(len(t.Bearing(mark)) > 0, "a call reached the API with her token")
}

// dialling opens a WebSocket, and says what became of it.
const dialling = `new Promise(done => {
	const socket = new WebSocket(%s)
	socket.onopen = () => { done("open"); socket.close() }
	socket.onerror = () => done("refused")
})`

func foreignSocket(id, pass, origin string) suite.Case {
	return fromPage(id, suite.High, rules.ASVS("4.4.2"), "The Origin of a WebSocket handshake is checked against a list.", pass, origin, func(t *suite.T, w *suite.Window, page *suite.View, address, mark string) {
		if !t.S.WebSocket {
			t.Skip("it carries no WebSockets in this configuration")
		}
		t.W.API.Say(mark, world.AcceptSocket)
		address = strings.Replace(address, "https:", "wss:", 1)
		if w.Own.Run(dialling, suite.JS(address+"/own")) != "open" {
			t.Stuck("her own page opens none")
		}
		said := page.Run(dialling, suite.JS(address+"/foreign"))
		t.FailIf(len(t.Bearing(mark+"/foreign")) > 0, "the handshake reached the API with her token")
		t.FailIf(said == "open" && withheldFrom(w, origin) == "", "it opened")
	})
}

// withheldFrom names the attribute that kept the session's cookie from an origin; "":
// none did, or a sibling's page asked.
func withheldFrom(w *suite.Window, origin string) string {
	for _, k := range w.Session() {
		if origin == world.Attacker && (k.SameSite == "Lax" || k.SameSite == "Strict") {
			return k.SameSite
		}
	}
	return ""
}
