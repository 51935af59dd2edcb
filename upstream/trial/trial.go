// Package trial tells an operator what a mapping makes of a real sign-in: what
// `coatcheck try` prints. It hangs into package signin by hooks, so that nothing of it
// runs while people are served.
package trial

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// Trial tells an operator, line by line, what a mapping asks and is answered, which rule
// decided and what was extracted from where. No line holds a secret: values are named or
// measured, and what is known to be one is cut out of every line (mask.go). It is for one
// sign-in at a time.
type Trial struct {
	tell func(string)
	seen map[string]bool // secrets that were met so far
}

// New makes a trial that tells its lines, without line ends, to tell.
func New(tell func(line string)) *Trial {
	return &Trial{tell: tell, seen: map[string]bool{}}
}

// Hooks are what the trial hangs into a sign-in with [signin.WithTrace].
func (t *Trial) Hooks() *signin.Trace {
	return &signin.Trace{Request: t.request, URLRequest: t.urlRequest, Response: t.response, Failed: t.failed, Decided: t.decided, Extracted: t.extracted, Described: t.described}
}

// Tell tells a label and v as JSON, secrets cut out.
func (t *Trial) Tell(label string, v any) { t.block("", label, mapping.Encode(v)) }

func (t *Trial) line(format string, args ...any) { t.tell(t.scrub(fmt.Sprintf(format, args...))) }

// request tells a request, with {names} where values stand.
func (t *Trial) request(q signin.Question, h http.Header, v *mapping.Values) {
	t.learn(q, v)
	r := q.Request
	t.line("> %s %s%s%s", r.Method, q.To.URL(), shown(mapping.NewTemplate(r.Path)), shownQuery(r.Query, q.Send.Query, v))
	t.fields("> ", "and, as always:", h, func(name string) bool { return !isAlwaysSent(q, name) })
	if body, ok := r.Body.Value(); ok {
		t.block("> ", map[bool]string{true: "form: ", false: "JSON: "}[r.IsForm()], mapping.Encode(shownBody("", body, v)))
	}
}

// response tells a response.
func (t *Trial) response(a *mapping.Response) {
	t.line("< %d %s", a.Status, http.StatusText(a.Status))
	t.fields("< ", "and", a.Header, mayMatter)
	if a.Body == "" {
		t.line("< no body")
		return
	}
	t.block("< ", "body: ", mapping.Encode(shownResponse("", a.Body, a.Status >= 400, 0)))
}

// failed tells that no response came.
func (t *Trial) failed(err error) { t.line("! %v", err) }

// decided tells which rule read a.
func (t *Trial) decided(x *signin.Exchange, a *mapping.Response, next string, err error) {
	t.line("= %s", decision(x.Rules, a))
	if errors.Is(err, upstream.ErrInvalid) {
		t.hints(x, a)
	}
	if next != "" {
		t.line("= goes on with step %s", next)
	}
}

// extracted tells what is found at the places of a credential, and what that means.
func (t *Trial) extracted(x *signin.Exchange, a *mapping.Response, given *credential.Credential, err error) {
	c := x.Places
	for _, name := range slices.Sorted(maps.Keys(c.Values)) {
		raw, _ := c.Values[name].Extract(a)
		t.found(name, c.Values[name], shownValue(raw))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Expiry)) {
		text := "nothing found"
		if v, there := c.Expiry[name].Extract(a); there {
			text = string(mapping.Encode(v))
			if _, number := mapping.Text(v); !number || len(text) > 40 {
				text = "not an expiry"
			}
		}
		t.found(name, c.Expiry[name], text)
	}
	if err != nil {
		t.line("= not usable: %v", err)
		t.hints(x, a)
		return
	}
	t.learnAll(given.Values())
}

// described tells where the person was looked for in doc, and what is there.
func (t *Trial) described(p *mapping.Person, doc any, fromToken bool, user map[string]any, err error) {
	at := mapping.Place{Pointer: p.At}
	if err == nil {
		t.names("", fmt.Sprintf("  %-18s at %s:", "user", at), knownNames(user))
		return
	}
	t.line("= no user at %s: %v", at, err)
	if object, ok := doc.(map[string]any); ok && fromToken {
		t.names("? ", "its claims:", knownNames(object))
		return
	}
	g := &guesses{}
	g.walk(nil, doc)
	t.guessed("the person", g.people)
}

// knownNames are an object's keys, but for those that may be secrets themselves.
func knownNames(object map[string]any) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(object)), isOpaque)
}

func (t *Trial) found(name string, p mapping.Place, what string) {
	t.line("  %-18s from %s: %s", name, p, what)
}

// shownValue is what may be seen of a value: its form and its length.
func shownValue(raw any) string {
	text, ok := mapping.Text(raw)
	switch {
	case raw == nil || ok && text == "":
		return "nothing found"
	case !ok:
		return fmt.Sprintf("JSON, %d characters", len(mapping.Encode(raw)))
	}
	if _, isJWT := mapping.Claims(text); isJWT {
		return fmt.Sprintf("a JWT, %d characters", len(text))
	}
	return fmt.Sprintf("%d characters", len(text))
}

// shownQuery names a query's parameters, those that are sent: the request's own, and of
// `send` what it does not name itself.
func shownQuery(query map[string]mapping.Template, send mapping.Headers, v *mapping.Values) string {
	var b strings.Builder
	for _, p := range append(send.Unnamed(query), mapping.SortHeaders(query)...) {
		if slices.ContainsFunc(p.Value.Names(), func(name string) bool { return !v.Has(name) }) {
			continue
		}
		b.WriteString(map[bool]string{true: "?", false: "&"}[b.Len() == 0] + url.QueryEscape(p.Name) + "=" + hidden(p.Value))
	}
	return b.String()
}
