package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"coatcheck/bff/credential"
	"coatcheck/upstream"
)

// masked stands where something is not shown.
const masked = "[secret]"

// Two walls keep secrets out of what a trace tells. The first shows only what is
// known to be harmless: names, numbers, a few constants, an error's own words. The
// second cuts every secret that was met out of every line, for APIs that say the
// password back.

// learn notes all secrets that a request may hold: what it puts, and the operator's
// own constants.
func (t *trace) learn(r *request, v *values) {
	t.learnAll(v.fields)
	t.learnAll(v.kept)
	if v.credential != nil {
		t.learnAll(v.credential.Values())
	}
	for _, list := range [][]pair{r.query, r.send, r.header} {
		for _, p := range list {
			t.learnTemplate(p.name, p.text)
		}
	}
	if len(r.basic) == 2 { // the id is none
		t.learnTemplate("basic", r.basic[1])
	}
	if body, ok := r.body.Value(); ok {
		t.learnBody("", body)
	}
}

func (t *trace) learnTemplate(name string, text template) {
	for _, p := range text.parts {
		if p.name == "" && !isShownConstant(name) {
			t.learnConstant(strings.TrimSpace(p.text.Reveal()))
		}
	}
}

func (t *trace) learnBody(key string, body any) {
	switch b := body.(type) {
	case string:
		if _, whole := parseTemplate(b).whole(); !whole && !isShownConstant(key) {
			t.learnConstant(b)
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

func (t *trace) learnAll(all map[string]credential.Secret) {
	for name, s := range all {
		if isPersonal(name) {
			continue // a user name is no secret to who typed it
		}
		v := value{secret: s, taken: true}
		if text, ok := v.appendText(nil); ok {
			t.learnOne(string(text))
		}
	}
}

// leastSecret is the length under which text is too common to be cut out; the
// first wall alone has to hold it.
const leastSecret = 4

// learnConstant notes text of the mapping that is long enough for an operator's
// secret; "Bearer" and the like are shorter.
func (t *trace) learnConstant(s string) {
	if len(s) >= 2*leastSecret {
		t.learnOne(s)
	}
}

// learnOne notes a secret in every form in which it may come back.
func (t *trace) learnOne(s string) {
	if len(s) < leastSecret {
		return
	}
	quoted := string(encode(s))
	for _, form := range []string{s, quoted[1 : len(quoted)-1], url.QueryEscape(s), url.PathEscape(s)} {
		t.seen[form] = true
	}
}

// scrub cuts all known secrets out of a line, the longest first.
func (t *trace) scrub(line string) string {
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
func (t template) shown() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
			continue
		}
		b.Write(p.text.AppendReveal(nil))
	}
	return b.String()
}

// hidden is a template with {names}, its constants masked.
func (t template) hidden() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name != "" {
			b.WriteString("{" + p.name + "}")
			continue
		}
		b.WriteString(masked)
	}
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

// shownBody is a request's body: {names} stand for themselves, constants are shown
// where their key says that they open nothing.
func shownBody(key string, body any, v *values) any {
	switch b := body.(type) {
	case string:
		name, whole := parseTemplate(b).whole()
		switch {
		case whole && v.find(name).secret.IsEmpty():
			return absent{}
		case whole, isShownConstant(key):
			return b
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

// shownDepth and shownMany bound how much of an answer is shown.
const (
	shownDepth = 8
	shownMany  = 40
)

// shownAnswer is an answer's JSON with its text measured, not shown. An error's own
// words are shown, or nobody could write a rule for them.
func shownAnswer(key string, doc any, failed bool, depth int) any {
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
			list = append(list, shownAnswer(key, item, failed, depth+1))
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
			object[name] = shownAnswer(name, item, failed, depth+1)
		}
		return object
	}
	return doc
}

// isSecretKey tells names under which secrets stand.
func isSecretKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"token", "secret", "pass", "jwt", "session", "ticket", "cookie", "otp", "pin", "key", "auth", "csrf", "signature"},
		func(part string) bool { return strings.Contains(key, part) })
}

// isEndKey tells names under which an end stands.
func isEndKey(key string) bool {
	key = strings.ToLower(key)
	return slices.ContainsFunc([]string{"expir", "ttl", "valid", "lifetime", "maxage", "max_age"},
		func(part string) bool { return strings.Contains(key, part) })
}

// isWords tells an error's code or sentence from a token: short, and no word of it
// as long and as mixed as tokens are.
func isWords(s string) bool {
	if len(s) > 200 {
		return false
	}
	return !slices.ContainsFunc(strings.Fields(s), isOpaque)
}

// isOpaque tells text that may be a token: long, with digits among its letters.
func isOpaque(s string) bool {
	return len(s) >= 20 && strings.ContainsAny(s, "0123456789") || len(s) > 60
}

func isInvalid(err error) bool { return errors.Is(err, upstream.ErrInvalid) }
