package signature

import (
	"net/url"
	"slices"
	"strings"
)

// pair is one name and value of a query or a form.
type pair struct{ name, value string }

// pairs decodes application/x-www-form-urlencoded (WHATWG URL §5.1). A pair that
// cannot be decoded refuses the whole: two readers could see different values.
func pairs(encoded string) ([]pair, error) {
	if encoded == "" {
		return nil, nil
	}
	if strings.Count(encoded, "&") >= MaxPairs {
		return nil, TooMany
	}
	var list []pair
	for part := range strings.SplitSeq(encoded, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return nil, Malformed
		}
		list = append(list, pair{name, value})
	}
	return list, nil
}

// named returns the values called name.
func named(encoded, name string) ([]value, error) {
	list, err := pairs(encoded)
	if err != nil {
		return nil, err
	}
	var values []value
	for _, p := range list {
		if p.name == name {
			values = append(values, value{text, p.value})
		}
	}
	return values, nil
}

// sorted writes the pairs in the order of their names, then values, each name
// and value run together.
func sorted(encoded string) (string, error) {
	list, err := pairs(encoded)
	if err != nil {
		return "", err
	}
	slices.SortFunc(list, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for _, p := range list {
		b.WriteString(p.name)
		b.WriteString(p.value)
	}
	return b.String(), nil
}
