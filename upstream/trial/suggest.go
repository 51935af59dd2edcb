package trial

import (
	"fmt"
	"strings"

	"coatcheck/upstream/mapping"
)

// yaml is the mapping that the guesses make.
func (g *guesses) yaml(a *mapping.Response, dead string) (lines []string) {
	for _, list := range [][]guess{g.access, g.refresh, g.ends, g.people, g.errors, g.factors} {
		sortGuesses(list)
	}
	switch {
	case len(g.factors) > 0 && len(g.access) == 0:
		return g.step()
	case a.Status >= 400:
		return append(g.refusal(a.Status, dead), fmt.Sprintf("rejected: [%d]   # if every other %d means %s", a.Status, a.Status, dead))
	case len(g.access) == 0 && len(g.errors) > 0:
		return g.refusal(a.Status, dead)
	}
	if len(g.access) > 0 {
		lines = append(lines, "credential:", "  access_token: "+g.access[0].place)
		if len(g.refresh) > 0 {
			lines = append(lines, "  refresh_token: "+g.refresh[0].place)
		}
		if len(g.ends) > 0 {
			lines = append(lines, "  "+g.ends[0].name+": "+g.ends[0].written())
		}
	}
	if len(g.people) > 0 {
		lines = append(lines, "user: {from: response, at: "+g.people[0].place+g.people[0].subject()+"}")
	}
	return lines
}

// refusal are the lines that would give a refusal its meaning.
func (g *guesses) refusal(status int, dead string) []string {
	if len(g.errors) == 0 {
		return nil
	}
	e := g.errors[0]
	return []string{"answers:   # one line for each reason; the meanings are in the schema",
		fmt.Sprintf("  - {status: %d, at: %s,", status, e.place), fmt.Sprintf("     is: %s, means: %s}", mapping.Encode(e.text), dead)}
}

// step are the lines of a second factor. Where the code goes, no answer tells.
func (g *guesses) step() []string {
	f, keep, body := g.factors[0], "", ""
	if mapping.IsName(f.name) && f.weight > 0 {
		keep, body = f.name+": "+f.place, f.name+`: "{`+f.name+`}", `
	}
	return []string{"answers:", "  - {at: " + f.place + ", step: otp}", "steps:", "  otp:", "    fields: [otp]", "    keep: {" + keep + "}",
		"    request: {path: /the/api/knows, body: {" + body + `otp: "{otp}"}}`}
}

// subject is the part of a user's line that names the person.
func (g guess) subject() string {
	if g.extra == "" || g.extra == "/id" {
		return ""
	}
	return ", subject: " + g.extra
}

// written is an end's place with its unit.
func (g guess) written() string {
	if g.extra == "" {
		return g.place
	}
	if strings.HasPrefix(g.place, "{") {
		return strings.TrimSuffix(g.place, "}") + ", unit: " + g.extra + "}"
	}
	return "{at: " + g.place + ", unit: " + g.extra + "}"
}
