package upstreams

import (
	"slices"
	"strings"

	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// request checks one request of a mapping. A missing one has been reported.
func (ck mappingCheck) request(path string, r *mapping.Request, s scope) {
	if r == nil {
		return
	}
	if !slices.Contains(rule.Methods, r.Method) {
		ck.Complain(child(path, "method"), rule.Complaint{Message: "not a method for requests to an API", Hint: strings.Join(rule.Methods, ", ")})
	}
	if r.Path != "" {
		ck.requestPath(child(path, "path"), r.Path, s)
	}
	if r.Upstream != "" {
		ck.KnownUpstream(child(path, "upstream"), r.Upstream)
	}
	ck.ComplainOf(path, r.Faults())
	ck.headers(child(path, "headers"), r.Headers)
	for key, templates := range map[string]map[string]mapping.Template{"query": r.Query, "headers": r.Headers} {
		for name, t := range templates {
			ck.names(child(path, key, name), t.Names(), s)
		}
	}
	for i, t := range r.Basic {
		ck.names(item(child(path, "basic"), i), t.Names(), s)
	}
	ck.body(child(path, "body"), r, s)
}

// names refuses placeholders that name nothing.
func (ck mappingCheck) names(path string, names []string, s scope) {
	for _, name := range names {
		if s.open || slices.Contains(s.known, name) || mapping.IsBuiltIn(name) {
			continue
		}
		hint := ck.Suggest(path, name, slices.Concat(s.known, mapping.BuiltIn()))
		if hint == "" || s.hidden {
			hint = s.hint
		}
		ck.Refuse(path, "unknown placeholder "+ck.Braced(path, name), hint)
	}
}

// requestPath checks a path below an upstream's url. One that is a single {name}
// is a path that the API itself gave; it is checked when it is used.
func (ck mappingCheck) requestPath(path, value string, s scope) {
	t := mapping.NewTemplate(value)
	ck.names(path, t.Names(), s)
	if _, whole := t.Whole(); whole {
		return
	}
	plain := value
	for _, name := range t.Names() {
		plain = strings.Replace(plain, "{"+name+"}", "x", 1)
		if slices.Contains(s.optional, name) {
			ck.Refuse(path, ck.Braced(path, name)+" is optional, and a path cannot do without it", "put it into the query or the body")
		}
	}
	if strings.Contains(plain, "?") {
		ck.Refuse(path, "a path must not contain a query", "query: {name: value}")
		return
	}
	ck.Complain(path, rule.RequestPath(plain))
}

// body checks what is posted.
func (ck mappingCheck) body(path string, r *mapping.Request, s scope) {
	value, ok := r.Body.Value()
	if !ok {
		return
	}
	ck.bodyValue(path, value, s)
}

func (ck mappingCheck) bodyValue(path string, value any, s scope) {
	switch value := value.(type) {
	case string:
		t := mapping.NewTemplate(value)
		if name, ok := t.Whole(); ok {
			ck.names(path, []string{name}, s)
		} else if inner := t.Names(); slices.ContainsFunc(inner, func(n string) bool { return slices.Contains(s.known, n) }) {
			ck.Warn(path, "in a body {name} counts only as the whole value; inside a longer text it stays as it is", "\"{"+inner[0]+"}\" alone")
		}
	case []any:
		for i, each := range value {
			ck.bodyValue(item(path, i), each, s)
		}
	case map[string]any:
		for key, each := range value {
			ck.bodyValue(child(path, key), each, s)
		}
	}
}
