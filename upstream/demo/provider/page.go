package provider

import (
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// sheet is what one of the provider's pages says.
type sheet struct {
	Title, Text, Complaint string
	// Action is where the form goes; Request, Email and Password are for the sign-in form,
	// Fields for a form that carries an answer back.
	Action, Request, Email, Password string
	Fields                           url.Values
	Button                           string
	// Others can sign in by one press, with a form that is filled in.
	Others []Person
	// Account is whose own page this is.
	Account *Person
	// Note stands below a form.
	Note string
	// Name and Host are the provider's.
	Name, Host string
}

//go:embed page.html
var pageHTML string

// paper is the one page of the provider. It has no script: who has none switched on
// can sign in as well.
var paper = template.Must(template.New("page").Parse(pageHTML))

func (p *state) page(w http.ResponseWriter, status int, s sheet) {
	s.Name, s.Host = p.options.Name, p.host
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_ = paper.Execute(w, s)
}

// fillIn makes the sign-in form ready for one of the people, and offers the others.
func (p *state) fillIn(s *sheet) {
	chosen := 0
	for i, who := range p.options.People {
		if strings.EqualFold(who.Email, s.Email) {
			chosen = i
		}
	}
	for i, who := range p.options.People {
		switch {
		case i == chosen && s.Complaint == "":
			s.Email, s.Password = who.Email, who.Password
		case !who.Unlisted:
			s.Others = append(s.Others, who)
		}
	}
}

// home is the person's own page.
func (p signIns) home(w http.ResponseWriter, r *http.Request) {
	s, known := p.sessionOf(r)
	who := p.person(s.subject)
	if !known || who == nil {
		p.page(w, http.StatusOK, sheet{Title: "Nobody is signed in", Text: "An application sends you here when it wants to know who you are."})
		return
	}
	var names []string
	for _, id := range s.clients {
		if c := p.registered(id); c != nil {
			names = append(names, c.title())
		}
	}
	p.page(w, http.StatusOK, sheet{Title: "Your account", Account: who, Action: p.base + "/end_session",
		Text: "This session was used for: " + strings.Join(names, ", ") + ". Sign out, and each of them is notified at once."})
}

// title is what people call the client.
func (c *Client) title() string {
	if c.Name == "" {
		return c.ID
	}
	return c.Name
}

// formPost carries an answer back in a form (OAuth 2.0 Form Post Response Mode). Other
// providers send it by a script; here the person presses a button.
func (p signIns) formPost(w http.ResponseWriter, to string, answer url.Values) {
	p.page(w, http.StatusOK, sheet{Title: "Almost there", Text: "You are signed in.", Action: to, Fields: answer, Button: "Continue"})
}
