package problem

import (
	"html/template"
	"strings"
)

// PagePolicy is the Content-Security-Policy of a [Problem.Page]: it runs and loads
// nothing, and nobody may frame it.
const PagePolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// PageStyle is how pages of ours look, in a light room and in a dark one.
const PageStyle = `<style>:root{color-scheme:light dark;--ink:#1d1b18;--paper:#faf8f4;--accent:#7a2e1f}
@media(prefers-color-scheme:dark){:root{--ink:#efe9df;--paper:#191714;--accent:#e8a48f}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.05rem/1.55 system-ui,sans-serif}
main{max-width:32rem;margin:14vh auto 0;padding:0 1.5rem}h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
a{color:var(--accent);margin-right:1rem}.button{display:inline-block;padding:.55rem 1.1rem;border:1px solid currentColor;border-radius:.4rem;text-decoration:none}
.small{margin-top:2.5rem;font-size:.8rem;opacity:.75;overflow-wrap:anywhere}</style>`

// PageOptions are what a page may offer. Links are of the configuration, never of the
// request.
type PageOptions struct {
	// Home is the address of the application; empty: no link to it.
	Home string
	// Again offers to open the same address once more, now from a page of the host's own.
	Again bool
	// RequestID must be of our making, or checked.
	RequestID string
}

// Page renders p for a person who opened an address and would see JSON otherwise. Like
// [Problem.Document] it holds constants only, but for o.
func (p *Problem) Page(o PageOptions) []byte {
	var b strings.Builder
	_ = page.Execute(&b, struct { // a builder takes everything
		PageOptions
		Heading, Detail, Code string
	}{o, p.heading(), p.Detail, p.Code})
	return []byte(b.String())
}

// heading says in a few words what happened, for people.
func (p *Problem) heading() string {
	switch {
	case p.Heading != "":
		return p.Heading
	case p.Code == CrossSiteRequest.Code:
		return "Another site led you here"
	case p.Status == 401:
		return "You are not signed in"
	case p.Status == 404:
		return "Not found"
	case p.Status == 429:
		return "Too many attempts"
	case p.Status >= 500:
		return "This does not work at the moment"
	}
	return "This cannot be opened"
}

// An empty href is the address of the page itself: nothing of the request is repeated.
var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<title>{{.Heading}}</title>` + PageStyle + `</head>
<body><main><h1>{{.Heading}}</h1>
{{if .Again}}<p>If you meant to come here, go on.</p>{{else}}<p>{{.Detail}}</p>{{end}}
{{if or .Again .Home}}<p>{{if .Again}}<a class="button" href="">Go on</a>{{end}}{{if .Home}}<a href="{{.Home}}">To the application</a>{{end}}</p>
{{end}}<p class="small">{{.Code}}{{if .RequestID}} · request {{.RequestID}}{{end}}</p></main></body></html>
`))
