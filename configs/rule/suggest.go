package rule

import (
	"slices"
	"strings"
)

// Suggest names the known key, or word, that a person may have meant.
func Suggest(given string, known []string) string {
	best, least := "", 3
	for _, name := range known {
		if len(name) > 3 && strings.HasPrefix(strings.ToLower(given), strings.ToLower(name)) && len(given) < len(name)+4 { // warning: warn
			return "did you mean " + name + "?"
		}
		d := distance(strings.ToLower(given), strings.ToLower(name))
		if d < least && d < len(name) || d == least && name < best {
			best, least = name, d
		}
	}
	if best == "" {
		best = onlyWith(given, known)
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// onlyWith is the one name of which given is a word: idle_timeout for idle; "" where
// there are several or none.
func onlyWith(given string, known []string) (found string) {
	for _, name := range known {
		if len(given) < 4 || !slices.Contains(strings.Split(name, "_"), strings.ToLower(given)) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// distance counts the single letters by which two words differ (Levenshtein).
func distance(a, b string) int {
	if max(len(a), len(b)) > 64 { // nobody's typing error; keeps the table small
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
