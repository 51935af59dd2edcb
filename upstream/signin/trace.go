package signin

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/credential"
)

// traceKey is where a context carries who is told.
type traceKey struct{}

// WithTrace makes calls under ctx tell what is asked and answered, which rule
// decided and what was taken from where, line by line. It is for an operator who
// tries a mapping, never for serving. No line holds a secret: values are named or
// measured, and what is known to be one is cut out of every line (mask.go).
func WithTrace(ctx context.Context, tell func(line string)) context.Context {
	return context.WithValue(ctx, traceKey{}, &trace{tell: tell, seen: map[string]bool{}})
}

// trace is one reader of what happens, and what must not reach it.
type trace struct {
	tell func(string)
	seen map[string]bool // secrets that were met so far
}

// traceOf returns who is told under ctx; nil, which takes all calls, for nobody.
func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// Tell tells whoever reads the trace of ctx a label and v as JSON, secrets cut out.
func Tell(ctx context.Context, label string, v any) {
	if t := traceOf(ctx); t != nil {
		t.block("", label, encode(v))
	}
}

func (t *trace) line(format string, args ...any) { t.tell(t.scrub(fmt.Sprintf(format, args...))) }

// asks tells a request, with {names} where values stand.
func (t *trace) asks(r *request, h http.Header, v *values) {
	if t == nil {
		return
	}
	t.learn(r, v)
	t.line("> %s %s%s%s", r.method, r.to.base.Origin()+r.to.base.Path, r.path.shown(), shownQuery(r.query, v))
	t.fields("> ", "and, as always:", h, func(name string) bool { return !r.isOwn(name) })
	if body, ok := r.body.Value(); ok {
		t.block("> ", map[bool]string{true: "form: ", false: "JSON: "}[r.form], encode(shownBody("", body, v)))
	}
}

// hears tells an answer.
func (t *trace) hears(a *answer) {
	if t == nil {
		return
	}
	t.line("< %d %s", a.status, http.StatusText(a.status))
	t.fields("< ", "and", a.header, mayMatter)
	if a.doc == "" {
		t.line("< no body")
		return
	}
	t.block("< ", "body: ", encode(shownAnswer("", a.doc, a.status >= 400, 0)))
}

// failed tells that no answer came, or a request could not be made.
func (t *trace) failed(err error) {
	if t != nil {
		t.line("! %v", err)
	}
}

// decides tells which rule read a.
func (t *trace) decides(x *exchange, a *answer, next string, err error) {
	if t == nil {
		return
	}
	t.line("= %s", x.rules.decision(a))
	if err != nil && isInvalid(err) {
		t.hints(x, a)
	}
	if next != "" {
		t.line("= goes on with step %s", next)
	}
}

// decision says which line of the mapping is the first that matches.
func (r *rules) decision(a *answer) string {
	for i := range r.list {
		if line := &r.list[i]; line.matches(a) {
			return fmt.Sprintf("answers, line %d: %s", i+1, line)
		}
	}
	switch {
	case a.status == http.StatusTooManyRequests:
		return "no line of answers; 429 is too_many_attempts"
	case slices.Contains(r.rejected, a.status):
		return fmt.Sprintf("no line of answers; %d is in rejected: %s", a.status, r.dead)
	case a.status < 200 || a.status > 299:
		return fmt.Sprintf("no line of answers, not in rejected, and %d is no success: upstream_invalid", a.status)
	}
	return fmt.Sprintf("no line of answers; %d may be a success, if an access token is in it", a.status)
}

// String is the rule as the file has it.
func (r *rule) String() string {
	var parts []string
	if r.status != 0 {
		parts = append(parts, fmt.Sprint("status: ", r.status))
	}
	if r.at != nil {
		parts = append(parts, "at: "+r.at.String())
	}
	switch {
	case len(r.is) == 1:
		parts = append(parts, "is: "+string(encode(r.is[0])))
	case r.is != nil:
		parts = append(parts, "is: "+string(encode(r.is)))
	}
	if r.step != "" {
		return "{" + strings.Join(append(parts, "step: "+r.step), ", ") + "}"
	}
	return "{" + strings.Join(append(parts, "means: "+r.means), ", ") + "}"
}

// String is the place as the file has it.
func (p *place) String() string {
	switch {
	case p.header != "":
		return "{header: " + p.header + "}"
	case p.cookie != "":
		return "{cookie: " + p.cookie + "}"
	case len(p.tokens) == 0:
		return `""`
	}
	return pointer(p.tokens)
}

// takes tells what is found at the places of a credential, and what that means.
func (t *trace) takes(x *exchange, a *answer, taken *credential.Credential, err error) {
	if t == nil {
		return
	}
	c := x.places
	for _, name := range slices.Sorted(maps.Keys(c.values)) {
		raw, _ := c.values[name].take(a)
		t.found(name, c.values[name], shownSecret(keep(raw)))
	}
	for _, name := range slices.Sorted(maps.Keys(c.ends)) {
		text := "nothing is there"
		if v, there := c.ends[name].take(a); there {
			text = string(encode(v))
			if _, number := scalar(v); !number || len(text) > 40 {
				text = "something that is no end"
			}
		}
		t.found(name, c.ends[name], text)
	}
	if err != nil {
		t.line("= not usable: %v", err)
		t.hints(x, a)
		return
	}
	t.learnAll(taken.Values())
}

// describes tells where the person was looked for in doc, and what is there.
func (t *trace) describes(s *userSource, doc any, user map[string]any, err error) {
	if t == nil {
		return
	}
	at := &place{tokens: s.at}
	if err == nil {
		t.names("", fmt.Sprintf("  %-18s at %s:", "user", at), knownNames(user))
		return
	}
	t.line("= no user at %s: %v", at, err)
	if object, ok := doc.(map[string]any); ok && s.jwt {
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

func (t *trace) found(name string, p *place, what string) {
	t.line("  %-18s from %s: %s", name, p, what)
}

// shownSecret is what may be seen of a value: its form and its length.
func shownSecret(s credential.Secret) string {
	if s.IsEmpty() {
		return "nothing is there"
	}
	if _, isJWT := claims(s.Reveal()); isJWT {
		return fmt.Sprintf("a JWT, %d characters", s.Len())
	}
	return fmt.Sprintf("%d characters", s.Len())
}

// shownQuery names a query's parameters.
func shownQuery(list []pair, v *values) string {
	var b strings.Builder
	for i, p := range list {
		if _, err := p.text.appendTo(nil, v, putQuery); err != nil {
			continue
		}
		b.WriteString(map[bool]string{true: "?", false: "&"}[i == 0 || b.Len() == 0] + url.QueryEscape(p.name) + "=" + p.text.hidden())
	}
	return b.String()
}

// pointer writes a JSON pointer (RFC 6901 §3).
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(t))
	}
	return b.String()
}
