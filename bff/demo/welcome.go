package demo

import (
	"fmt"
	"io"
	"strings"

	"coatcheck/bff/terminal"
	demoapi "coatcheck/upstream/demo"
)

// welcome tells a newcomer what to do first. It fits a terminal of 80 columns.
type welcome struct {
	port, api, admin string
	issuer           string          // of the provider
	programs         *programs       // nil: there are neither programs nor a provider
	as               string          // the API that the demo answers as; "" is its own
	paint            *terminal.Paint // nil: no terminal
}

func (g welcome) write(w io.Writer) {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %s  the token stays on the server, the browser gets a ticket\n", g.paint.As(terminal.Bold, "Coatcheck demo"))
	g.page(&b, 1, "shop", "The shop", "people sign in by its own form")
	g.page(&b, 2, "admin", "The back office", g.office())
	g.page(&b, 3, "evil", "The attacker", "a sibling on the same site: browsers bring it the cookies")
	g.papers(&b)
	g.steps(&b)
	_, _ = io.WriteString(w, b.String())
}

// page is one of the demo's pages, and who can sign in there.
func (g welcome) page(b *strings.Builder, n int, frontend, name, remark string) {
	p := g.paint
	address := fmt.Sprintf("http://%s.coatcheck.localhost:%s", frontend, g.port)
	fmt.Fprintf(b, "\n  %s  %s  %s\n     %s\n", p.As(terminal.Bold, fmt.Sprint(n)), p.As(terminal.Bold, fmt.Sprintf("%-15s", name)), p.As(terminal.Cyan, address), p.As(terminal.Faint, remark))
	for _, who := range demoapi.People() {
		if who.Frontend == frontend {
			b.WriteString(strings.TrimRight(fmt.Sprintf("     %-15s  %-19s  %-17s %s", who.Name, who.Email, who.Password, p.As(terminal.Faint, g.remark(who))), " ") + "\n")
		}
	}
}

// office says where people of the back office sign in.
func (g welcome) office() string {
	if g.programs == nil {
		return "people sign in by its own form"
	}
	return "people sign in at " + g.issuer + ", another site"
}

// papers are what programs prove themselves by, with a line to try each.
func (g welcome) papers(b *strings.Builder) {
	if g.programs == nil {
		return
	}
	p := g.paint
	door := "http://programs.coatcheck.localhost:" + g.port
	fmt.Fprintf(b, "\n  %s  %s  %s\n     %s\n", p.As(terminal.Bold, "4"), p.As(terminal.Bold, fmt.Sprintf("%-15s", "For programs")), p.As(terminal.Cyan, door),
		p.As(terminal.Faint, "they hold these, and never the API’s token"))
	fmt.Fprintf(b, "     a spreadsheet’s key, for Basic, Bearer or X-Api-Key\n       %s\n", g.programs.key.Secret.Reveal())
	fmt.Fprintf(b, "     a phone provider’s secret, by which it signs its events\n       %s\n", g.programs.phone.text())
	fmt.Fprintf(b, "     %s\n       curl -u %s: \\\n         %s/v1/orders\n", p.As(terminal.Faint, "be the spreadsheet; page 1 shows your call as it arrives"), g.programs.key.Secret.Reveal(), door)
}

func (g welcome) steps(b *strings.Builder) {
	p := g.paint
	last := "open 2 and sign in there too: two people in one browser."
	if g.programs != nil {
		last = "open 2 and sign in at the provider: you see the way there and back."
	}
	for _, step := range [][2]string{
		{"First", "open 1 and sign in. The form is filled in; each call is drawn."},
		{"Then", "open 3 in the same browser and let it attack: what it would take"},
		{"", "elsewhere and from whom, and with which code it is refused here."},
		{"Last", last},
	} {
		fmt.Fprintf(b, "\n  %s %s", p.As(terminal.Bold, fmt.Sprintf("%-6s", step[0])), step[1])
	}
	fmt.Fprintf(b, "\n\n  curl   http://localhost:%s  %s\n", g.port, p.As(terminal.Faint, "the shop, where curl keeps Secure cookies"))
	fmt.Fprintf(b, "  API    http://%s  %s\n", g.api, p.As(terminal.Faint, "you need not call it"+g.dialect()))
	fmt.Fprintf(b, "  health http://%s/readyz\n\n  Ctrl-C ends it all. Nothing is kept. What Coatcheck logs comes below.\n\n", g.admin)
}

// remark says what is special about somebody.
func (g welcome) remark(p demoapi.Person) string {
	switch {
	case p.Locked:
		return "is locked"
	case p.SecondFactor && (g.as == "" || demoapi.AsksForCode(g.as)):
		return "and code " + demoapi.Code
	}
	return ""
}

// dialect says how this demo's API differs.
func (g welcome) dialect() string {
	if g.as == "" {
		return ""
	}
	return "; it speaks " + g.as
}
