package signature

import (
	"maps"
	"slices"
	"strings"
)

// notAnswered are headers that no handshake may set: they speak to browsers, or
// say how the message is framed.
var notAnswered = []string{
	"set-cookie", "location", "content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "upgrade", "trailer",
	"www-authenticate", "clear-site-data", "strict-transport-security", "refresh", "link", "date", "server", "cache-control", "vary",
}

func (v *Verifier) compileHandshake(h *Handshake, f *faults) *handshake {
	c := &handshake{keyed: -1, header: map[string]template{}}
	taker := rule{take: map[string]*Place{}}
	taker.takes(h.Take, f, false)
	c.take, c.order = taker.take, taker.order
	if len(h.Admit) == 0 {
		f.refuse("admit", "without a line every call would be answered here", "admit: [{at: /type, is: …}]")
	}
	for i := range h.Admit {
		c.admit = append(c.admit, compileLine(index("admit", i), &h.Admit[i], nil, f, false, false))
	}
	c.answer(h, f)
	if len(f.list) == 0 {
		c.key(v, f)
	}
	return c
}

func (c *handshake) answer(h *Handshake, f *faults) {
	named := 0
	if h.Answer.Text != "" {
		named++
		c.text = compileEcho("answer.text", h.Answer.Text, c.order, f)
	}
	if h.Answer.JSON != nil {
		named++
		c.json = compileTree(h.Answer.JSON, c.order, f)
	}
	if h.Answer.Headers != nil {
		named++
	}
	for _, name := range slices.Sorted(maps.Keys(h.Answer.Headers)) {
		lower := strings.ToLower(name)
		if slices.Contains(notAnswered, lower) || strings.HasPrefix(lower, "access-control-") || strings.HasPrefix(lower, "coatcheck-") {
			f.refuse("answer.headers."+name, "a handshake cannot set this header", "")
		}
		c.header[name] = compileEcho("answer.headers."+name, h.Answer.Headers[name], c.order, f)
	}
	if named != 1 {
		f.refuse("answer", "an answer is exactly one of text, json and headers", "answer: {text: \"{x}\"}")
	}
}

// compileTree replaces the texts of a tree by templates.
func compileTree(tree any, taken []string, f *faults) any {
	switch tree := tree.(type) {
	case string:
		return compileEcho("answer.json", tree, taken, f)
	case []any:
		list := make([]any, len(tree))
		for i, each := range tree {
			list[i] = compileTree(each, taken, f)
		}
		return list
	case map[string]any:
		m := make(map[string]any, len(tree))
		for key, each := range tree {
			m[key] = compileTree(each, taken, f)
		}
		return m
	}
	return tree
}

// templates lists all of them.
func (c *handshake) templates() []template {
	list := append(slices.Collect(maps.Values(c.header)), c.text)
	var visit func(any)
	visit = func(tree any) {
		switch tree := tree.(type) {
		case template:
			list = append(list, tree)
		case []any:
			for _, each := range tree {
				visit(each)
			}
		case map[string]any:
			for _, each := range tree {
				visit(each)
			}
		}
	}
	visit(c.json)
	return list
}

// key finds the rule whose code the answer holds. Such an answer signs a text that
// the call chose, so it is given only to a call that is itself signed.
func (c *handshake) key(v *Verifier, f *faults) {
	if !slices.ContainsFunc(c.templates(), template.keyed) {
		return
	}
	c.keyed = slices.IndexFunc(v.rules, func(r *rule) bool { return r.hmac(0) != nil })
	if c.keyed < 0 {
		f.refuse("answer", ".hmac needs a rule that signs by an HMAC", "by: hmac-sha256")
	}
}
