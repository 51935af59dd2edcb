package trial

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// masked stands where something is not shown.
const masked = "[secret]"

// Two walls keep secrets out of what a trace tells. The first shows only what is
// known to be harmless: names, numbers, a few constants, an error's own words. The
// second cuts every secret that was met out of every line, for APIs that say the
// password back.

// learn notes all secrets that a request may hold: what it puts, and the operator's
// own constants.
func (t *Trial) learn(q signin.Question, v *mapping.Values) {
	t.learnAll(v.Fields)
	t.learnAll(v.Kept)
	if v.Credential != nil {
		t.learnAll(v.Credential.Values())
	}
	for _, list := range []mapping.Headers{mapping.SortHeaders(q.Request.Query), q.Send.Headers, q.Send.Query, q.Send.Cookies, mapping.SortHeaders(q.Request.Headers)} {
		for _, p := range list {
			t.learnTemplate(p.Name, p.Value)
		}
	}
	if len(q.Request.Basic) == 2 { // the id is none
		t.learnTemplate("basic", q.Request.Basic[1])
	}
	if body, ok := q.Request.Body.Value(); ok {
		t.learnBody("", body)
	}
}

func (t *Trial) learnTemplate(name string, text mapping.Template) {
	text.Parts(func(constant credential.Secret, value string) {
		if value == "" && !isShownConstant(name) {
			t.learnConstant(strings.TrimSpace(constant.Reveal()))
		}
	})
}

func (t *Trial) learnBody(key string, body any) {
	switch b := body.(type) {
	case string:
		if _, whole := mapping.NewTemplate(b).Whole(); !whole && !isShownConstant(key) {
			t.learnConstant(mapping.PlainText(b))
		}
	case []any:
		for _, item := range b {
			t.learnBody(key, item)
		}
	case map[string]any:
		for name, item := range b {
			t.learnBody(name, item)
		}
	}
}

func (t *Trial) learnAll(all map[string]credential.Secret) {
	for name, s := range all {
		if isPersonal(name) {
			continue // a user name is no secret to who typed it
		}
		if text, ok := mapping.SecretText(s); ok {
			t.learnOne(text)
		}
	}
}

// leastSecret is the length under which text is too common to be cut out; the
// first wall alone has to hold it.
const leastSecret = 4

// learnConstant notes text of the mapping that is long enough for an operator's
// secret; "Bearer" and the like are shorter.
func (t *Trial) learnConstant(s string) {
	if len(s) >= 2*leastSecret {
		t.learnOne(s)
	}
}

// learnOne notes a secret in every form in which it may come back.
func (t *Trial) learnOne(s string) {
	if len(s) < leastSecret {
		return
	}
	quoted := string(mapping.Encode(s))
	for _, form := range []string{s, quoted[1 : len(quoted)-1], url.QueryEscape(s), url.PathEscape(s)} {
		t.seen[form] = true
	}
}

// scrub cuts all known secrets out of a line, the longest first.
func (t *Trial) scrub(line string) string {
	var all []string
	for s := range t.seen {
		if strings.Contains(line, s) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	for _, s := range all {
		line = strings.ReplaceAll(line, s, masked)
	}
	return printableLine(line)
}

// printableLine keeps control bytes of an API off the terminal.
func printableLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// isPersonal tells names of fields that are no secrets.
func isPersonal(name string) bool {
	switch strings.ToLower(name) {
	case "email", "username", "user", "login", "name", "identifier", "phone", "uid":
		return true
	}
	return false
}

// isShownConstant tells keys whose constants say what is asked and open nothing.
func isShownConstant(key string) bool {
	switch strings.ToLower(key) {
	case "grant_type", "scope", "realm", "audience", "mode", "connection", "resource", "subject_token_type", "requested_token_type",
		"token_type_hint", "authflow", "x-amz-target", "content-type", "accept", "returnsecuretoken", "device_name", "strategy", "query", "operationname":
		return true
	}
	return false
}

// shown is a path's template, its values as {names}.
func shown(t mapping.Template) string { return written(t, credential.Secret.Reveal) }

// hidden is a template with {names}, its constants masked.
func hidden(t mapping.Template) string {
	return written(t, func(credential.Secret) string { return masked })
}

func written(t mapping.Template, constant func(credential.Secret) string) string {
	var b strings.Builder
	t.Parts(func(text credential.Secret, name string) {
		if name != "" {
			b.WriteString("{" + name + "}")
			return
		}
		b.WriteString(constant(text))
	})
	return b.String()
}

// shownHeader is a header's value, as far as it can be no secret.
func shownHeader(name, text string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Accept", "Content-Type", "Content-Length", "User-Agent", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
		"X-Request-Id", "Date", "Retry-After", "Cache-Control", "Vary", "X-Amz-Target":
		return text
	case "Set-Cookie":
		cookie, _, _ := strings.Cut(text, "=")
		return strings.TrimSpace(cookie) + "=" + masked
	case "Authorization":
		if scheme, _, ok := strings.Cut(text, " "); ok {
			return scheme + " " + masked
		}
	}
	return fmt.Sprintf("%s (%d characters)", masked, len(text))
}

// absent is a {name} without a value: its key is left out.
type absent struct{}

// shownBody is a request's body: {names} stand for themselves, constants are shown
// where their key says that they open nothing.
func shownBody(key string, body any, v *mapping.Values) any {
	switch b := body.(type) {
	case string:
		name, whole := mapping.NewTemplate(b).Whole()
		switch {
		case whole && !v.Has(name):
			return absent{}
		case whole:
			return b
		case isShownConstant(key):
			return mapping.PlainText(b)
		}
		return masked
	case []any:
		list := []any{}
		for _, item := range b {
			if shown := shownBody(key, item, v); shown != (absent{}) {
				list = append(list, shown)
			}
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, item := range b {
			if shown := shownBody(name, item, v); shown != (absent{}) {
				object[name] = shown
			}
		}
		return object
	}
	return body
}

// shownDepth and shownMany bound how much of a response is shown.
const (
	shownDepth = 8
	shownMany  = 40
)

// shownResponse is a response's JSON with its text measured, not shown. An error's own
// words are shown, or nobody could write a rule for them.
func shownResponse(key string, doc any, failed bool, depth int) any {
	switch d := doc.(type) {
	case string:
		if failed && !isSecretKey(key) && isWords(d) || strings.EqualFold(key, "token_type") && len(d) < 20 {
			return d
		}
		return fmt.Sprintf("[text, %d]", len(d))
	case json.Number:
		if isSecretKey(key) && !isEndKey(key) {
			return fmt.Sprintf("[number, %d]", len(d))
		}
		return d
	case []any:
		if depth == shownDepth || len(d) > shownMany {
			return fmt.Sprintf("[list, %d]", len(d))
		}
		list := []any{}
		for _, item := range d {
			list = append(list, shownResponse(key, item, failed, depth+1))
		}
		return list
	case map[string]any:
		if depth == shownDepth || len(d) > shownMany {
			return fmt.Sprintf("[object, %d]", len(d))
		}
		object := map[string]any{}
		for name, item := range d {
			if isOpaque(name) {
				name = fmt.Sprintf("[key, %d]", len(name))
			}
			object[name] = shownResponse(name, item, failed, depth+1)
		}
		return object
	}
	return doc
}
