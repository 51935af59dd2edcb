package demo

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"coatcheck/bff/terminal"
)

func greeting(g welcome) string {
	var out bytes.Buffer
	g.port, g.api, g.admin, g.issuer = "58080", "127.0.0.1:58081", "127.0.0.1:58082", "http://id.porter.localhost:58080"
	g.write(&out)
	return out.String()
}

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

// TestGreeting: links, everybody's password, what programs need, and what to do first,
// on 80 columns, with and without colours.
func TestGreeting(t *testing.T) {
	p := newPrograms()
	for name, g := range map[string]welcome{"plain": {programs: p}, "coloured": {programs: p, paint: &terminal.Paint{Colours: true}}, "another API": {as: "symfony_session"}} {
		text := escape.ReplaceAllString(greeting(g), "")
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 81 || strings.HasSuffix(line, " \n") {
				t.Errorf("%s: %d columns, or blank at its end: %q", name, utf8.RuneCountInString(line)-1, line)
			}
		}
		for _, want := range []string{"http://shop.coatcheck.localhost:58080\n", "http://admin.coatcheck.localhost:58080\n", "http://evil.coatcheck.localhost:58080\n",
			"engine-number-one", "ship-in-harbour", "spanning-tree", "First", "Ctrl-C", "http://localhost:58080 "} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}

// TestGreetingTellsOfPrograms: their papers where they are, and nothing of them where not.
func TestGreetingTellsOfPrograms(t *testing.T) {
	p := newPrograms()
	full, other := greeting(welcome{programs: p}), greeting(welcome{as: "strapi"})
	for _, want := range []string{p.key.Secret.Reveal() + "\n", p.phone.text() + "\n", "curl -u " + p.key.Secret.Reveal() + ": \\\n         http://programs.coatcheck.localhost:58080/v1/orders\n",
		"http://id.porter.localhost:58080", "and code 123456"} {
		if !strings.Contains(full, want) {
			t.Errorf("the greeting lacks %q", want)
		}
	}
	for _, none := range []string{"cchk_", "whsec_", "porter", p.robot} {
		if strings.Contains(other, none) {
			t.Errorf("the greeting has %q", none)
		}
	}
	if strings.Contains(full, p.robot) {
		t.Error("the robot's token is printed")
	}
}
