package trial

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"coatcheck/upstream/mapping"
)

// decision says in words which line of the mapping reads a response.
func decision(r *mapping.Rules, a *mapping.Response) string {
	for i := range r.List {
		if line := &r.List[i]; line.Matches(a) {
			return fmt.Sprintf("answers, rule %d: %s", i+1, ruleText(line))
		}
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		return "no rule in answers matched; 429 counts as too_many_attempts"
	case slices.Contains(r.Rejected, a.Status):
		return fmt.Sprintf("no rule in answers matched; %d is in rejected: %s", a.Status, r.RejectedMeans)
	case a.Status < 200 || a.Status > 299:
		return fmt.Sprintf("no rule in answers matched, %d is not in rejected and not a success: upstream_invalid", a.Status)
	}
	return fmt.Sprintf("no rule in answers matched; %d with an access token counts as success", a.Status)
}

// ruleText is the rule as a file has it.
func ruleText(r *mapping.Rule) string {
	var parts []string
	if r.Status != 0 {
		parts = append(parts, fmt.Sprint("status: ", r.Status))
	}
	if r.At != nil {
		parts = append(parts, "at: "+r.At.String())
	}
	switch {
	case r.Is != nil && len(r.Is.Values) == 1:
		parts = append(parts, "is: "+string(mapping.Encode(r.Is.Values[0])))
	case r.Is != nil:
		parts = append(parts, "is: "+string(mapping.Encode(r.Is.Values)))
	}
	if r.Step != "" {
		return "{" + strings.Join(append(parts, "step: "+r.Step), ", ") + "}"
	}
	return "{" + strings.Join(append(parts, "means: "+r.Means), ", ") + "}"
}
