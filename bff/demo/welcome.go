package demo

import (
	"fmt"
	"io"
	"strings"

	"coatcheck/bff/terminal"
	demoapi "coatcheck/upstream/demo"
)

// welcome tells a newcomer what to do first.
type welcome struct {
	port, api, admin string
	as               string          // the API that the demo answers as; "" is its own
	paint            *terminal.Paint // nil: no terminal
}

func (g welcome) write(w io.Writer) {
	p := g.paint
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %s  two frontends, an API on another origin, and no token in the browser\n", p.As(terminal.Bold, "Coatcheck demo"))
	for i, page := range []struct{ frontend, name string }{{"shop", "The shop"}, {"admin", "The back office"}, {"evil", "An attacker's page"}} {
		address := fmt.Sprintf("http://%s.coatcheck.localhost:%s", page.frontend, g.port)
		fmt.Fprintf(&b, "\n  %s  %s %s\n", p.As(terminal.Bold, fmt.Sprint(i+1)), p.As(terminal.Bold, fmt.Sprintf("%-20s", page.name)), p.As(terminal.Cyan, address))
		for _, person := range demoapi.People() {
			if person.Frontend == page.frontend {
				b.WriteString(strings.TrimRight(fmt.Sprintf("     %-20s %-20s %-18s %s", person.Name, person.Email, person.Password, p.As(terminal.Faint, g.remark(person))), " ") + "\n")
			}
		}
	}
	fmt.Fprintf(&b, "     %s\n", p.As(terminal.Faint, "on the same site as the shop, as a sibling would be"))
	for _, step := range [][2]string{
		{"First", "open 1 and sign in: the form is filled in. Press the buttons; each call is drawn."},
		{"Then", "open 3 in the same browser and let it attack. Each try is refused, and you see why."},
		{"Last", "open 2 and sign in there too: two people in one browser, neither disturbs the other."},
	} {
		fmt.Fprintf(&b, "\n  %s %s", p.As(terminal.Bold, fmt.Sprintf("%-6s", step[0])), step[1])
	}
	fmt.Fprintf(&b, "\n\n  curl   http://localhost:%s  %s\n", g.port, p.As(terminal.Faint, "the shop, where curl keeps Secure cookies"))
	fmt.Fprintf(&b, "  API    http://%s  %s\n", g.api, p.As(terminal.Faint, "you need not call it"+g.dialect()))
	fmt.Fprintf(&b, "  health http://%s/readyz\n\n  Ctrl-C ends it all. Nothing is kept. What Coatcheck logs comes below.\n\n", g.admin)
	_, _ = io.WriteString(w, b.String())
}

// remark says what is special about somebody.
func (g welcome) remark(p demoapi.Person) string {
	switch {
	case p.Locked:
		return "locked, to see a refusal"
	case p.SecondFactor && (g.as == "" || demoapi.AsksForCode(g.as)):
		return "and the code " + demoapi.Code
	}
	return ""
}

// dialect says how this demo's API differs.
func (g welcome) dialect() string {
	if g.as == "" {
		return ""
	}
	return "; it answers as " + g.as + " does"
}
