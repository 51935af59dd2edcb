package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"coatcheck/upstream/demo"

	"golang.org/x/term"
)

// greeting tells a newcomer what to do first.
type greeting struct {
	port, api, admin string
	as               string // the API that the demo answers as; "" is its own
	paint            *paint // nil: no terminal
}

// painted is a paint for w if that is a terminal, else nil. NO_COLOR (no-color.org)
// and a dumb terminal take the colours away.
func (p *program) painted(w io.Writer) *paint {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	noColour, _ := p.getenv("NO_COLOR")
	terminal, _ := p.getenv("TERM")
	return &paint{colours: noColour == "" && terminal != "dumb"}
}

func (g greeting) write(w io.Writer) {
	p := g.paint
	if p == nil {
		p = &paint{}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %s  two frontends, an API on another origin, and no token in the browser\n", p.as(styleBold, "Coatcheck demo"))
	for i, page := range []struct{ frontend, name string }{{"shop", "The shop"}, {"admin", "The back office"}, {"evil", "An attacker's page"}} {
		address := fmt.Sprintf("http://%s.coatcheck.localhost:%s", page.frontend, g.port)
		fmt.Fprintf(&b, "\n  %s  %s %s\n", p.as(styleBold, fmt.Sprint(i+1)), p.as(styleBold, fmt.Sprintf("%-20s", page.name)), p.as(styleLink, address))
		for _, person := range demo.People() {
			if person.Frontend == page.frontend {
				b.WriteString(strings.TrimRight(fmt.Sprintf("     %-20s %-20s %-18s %s", person.Name, person.Email, person.Password, p.as(styleFaint, g.remark(person))), " ") + "\n")
			}
		}
	}
	fmt.Fprintf(&b, "     %s\n", p.as(styleFaint, "on the same site as the shop, as a sibling would be"))
	for _, step := range [][2]string{
		{"First", "open 1 and sign in: the form is filled in. Press the buttons; each call is drawn."},
		{"Then", "open 3 in the same browser and let it attack. Each try is refused, and you see why."},
		{"Last", "open 2 and sign in there too: two people in one browser, neither disturbs the other."},
	} {
		fmt.Fprintf(&b, "\n  %s %s", p.as(styleBold, fmt.Sprintf("%-6s", step[0])), step[1])
	}
	fmt.Fprintf(&b, "\n\n  curl   http://localhost:%s  %s\n", g.port, p.as(styleFaint, "the shop, where curl keeps Secure cookies"))
	fmt.Fprintf(&b, "  API    http://%s  %s\n", g.api, p.as(styleFaint, "you need not call it"+g.dialect()))
	fmt.Fprintf(&b, "  health http://%s/readyz\n\n  Ctrl-C ends it all. Nothing is kept. What Coatcheck logs comes below.\n\n", g.admin)
	_, _ = io.WriteString(w, b.String())
}

// remark says what is special about somebody.
func (g greeting) remark(p demo.Person) string {
	switch {
	case p.Locked:
		return "locked, to see a refusal"
	case p.SecondFactor && (g.as == "" || demo.AsksForCode(g.as)):
		return "and the code " + demo.Code
	}
	return ""
}

// dialect says how this demo's API differs.
func (g greeting) dialect() string {
	if g.as == "" {
		return ""
	}
	return "; it answers as " + g.as + " does"
}
