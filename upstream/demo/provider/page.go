package provider

import (
	"html/template"
	"net/http"
	"net/url"
)

// sheet is what one of the provider's pages says.
type sheet struct {
	Title, Text, Complaint string
	// Action is where the form goes; Request and Email are for the sign-in form, Fields
	// for a form that carries an answer back.
	Action, Request, Email string
	Fields                 url.Values
	Button                 string
	// Note stands below a form.
	Note string
}

// paper is the one page of the provider. It has no script: who has none switched on
// can sign in as well.
var paper = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#eef1f6,#14171d)}
main{width:min(22rem,calc(100vw - 2rem));padding:2rem;border-radius:1rem;background:light-dark(#fff,#1f242d);box-shadow:0 1px 3px #0003,0 12px 32px #0001}
.mark{width:2.5rem;height:2.5rem;border-radius:.75rem;background:linear-gradient(135deg,#3457d5,#8b5cf6)}
h1{font-size:1.4rem;line-height:1.2;margin:1rem 0 0}p{margin:.25rem 0 1.25rem;opacity:.75}
label{display:block;margin:0 0 .9rem;font-size:.875rem;font-weight:600}
input{box-sizing:border-box;width:100%;margin-top:.3rem;padding:.6rem .75rem;font:inherit;font-weight:400;border:1px solid #8886;border-radius:.5rem;background:transparent;color:inherit}
button{box-sizing:border-box;display:block;width:100%;margin-top:.5rem;padding:.65rem;font:inherit;font-weight:600;border:0;border-radius:.5rem;background:#3457d5;color:#fff;cursor:pointer}
button.quiet{background:transparent;color:inherit;opacity:.75}
.note{margin:1.25rem 0 0;font-size:.8rem}
:is(input,button):focus-visible{outline:3px solid #8b5cf6;outline-offset:2px}
.complaint{padding:.5rem .75rem;border-radius:.5rem;background:#d0342c22;color:light-dark(#a3231c,#ff9d96);opacity:1}
</style></head><body><main><div class="mark"></div><h1>{{.Title}}</h1><p>{{.Text}}</p>
{{with .Complaint}}<p class="complaint" role="alert">{{.}}</p>{{end}}
{{if .Request}}<form method="post" action="{{.Action}}"><input type="hidden" name="request" value="{{.Request}}">
<label>E-mail<input name="email" type="email" autocomplete="username" value="{{.Email}}" required{{if not .Email}} autofocus{{end}}></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required{{if .Email}} autofocus{{end}}></label>
<button>Sign in</button><button class="quiet" name="cancel" value="1" formnovalidate>Cancel</button></form>{{end}}
{{if .Fields}}<form method="post" action="{{.Action}}">{{range $name, $values := .Fields}}<input type="hidden" name="{{$name}}" value="{{index $values 0}}">{{end}}
<button autofocus>{{.Button}}</button></form>{{end}}
{{with .Note}}<p class="note">{{.}}</p>{{end}}
</main></body></html>
`))

func (p *Provider) page(w http.ResponseWriter, status int, s sheet) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_ = paper.Execute(w, s)
}

// formPost carries an answer back in a form (OAuth 2.0 Form Post Response Mode). Other
// providers send it by a script; here the person presses a button.
func (p *Provider) formPost(w http.ResponseWriter, to string, answer url.Values) {
	p.page(w, http.StatusOK, sheet{Title: "Almost there", Text: "You are signed in.", Action: to, Fields: answer, Button: "Continue"})
}
