package signin

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"coatcheck/configs"
)

// rules say what an answer means: the first of list that matches; then a 429;
// then the statuses of rejected; then a 2xx may hold what was asked for.
// Everything else is unusable, and nobody's fault but the API's.
type rules struct {
	list     []rule
	rejected []int
	dead     string // what rejected means
}

// rule is one line of `answers`.
type rule struct {
	status      int // 0 = any
	at          *place
	is          []any // alternatives; nil: there, and not null, false, "" or []
	means, step string
}

// newRules compiles answers and rejected; dead is what rejected means. The
// defaults of both are the configuration's business.
func newRules(answers []configs.Answer, rejected []int, dead string) (*rules, error) {
	r := &rules{rejected: rejected, dead: dead}
	for _, a := range answers {
		compiled, err := newRule(a)
		if err != nil {
			return nil, err
		}
		r.list = append(r.list, compiled)
	}
	return r, nil
}

func newRule(a configs.Answer) (rule, error) {
	r := rule{status: a.Status, means: a.Means, step: a.Step}
	if a.Is != nil {
		r.is = append([]any{}, a.Is.Values...)
	}
	if a.At == nil {
		return r, nil
	}
	var err error
	r.at, err = newPlace(*a.At)
	return r, err
}

// read returns the step that follows a, or nothing where a is a success, or a
// [Refusal], or [upstream.ErrInvalid]. known are names that a Refusal may mention.
func (r *rules) read(a *answer, known func(string) bool) (step string, err error) {
	for i := range r.list {
		if r.list[i].matches(a) {
			return r.list[i].verdict(a, known)
		}
	}
	switch {
	case a.status == http.StatusTooManyRequests:
		return "", &Refusal{Meaning: TooManyAttempts, RetryAfter: a.retryAfter()}
	case slices.Contains(r.rejected, a.status):
		return "", &Refusal{Meaning: r.dead}
	case a.status < 200 || a.status > 299:
		return "", invalid("status %d", a.status)
	}
	return "", nil
}

// verdict is what a matching rule says.
func (r *rule) verdict(a *answer, known func(string) bool) (step string, err error) {
	if r.step != "" {
		return r.step, nil
	}
	refusal := &Refusal{Meaning: r.means}
	switch r.means {
	case upstreamInvalid, "":
		return "", invalid("status %d, which answers call %s", a.status, upstreamInvalid)
	case TooManyAttempts:
		refusal.RetryAfter = a.retryAfter()
	case InvalidFields:
		refusal.Fields = r.fields(a, known)
	}
	return "", refusal
}

// fields are the keys at the rule's place that are known names.
func (r *rule) fields(a *answer, known func(string) bool) []string {
	if r.at == nil {
		return nil
	}
	at, _ := r.at.take(a)
	object, _ := at.(map[string]any)
	var fields []string
	for name := range object {
		if known(name) {
			fields = append(fields, name)
		}
	}
	slices.Sort(fields)
	return fields
}

func (r *rule) matches(a *answer) bool {
	if r.status != 0 && r.status != a.status {
		return false
	}
	if r.at == nil {
		return true
	}
	v, there := r.at.take(a)
	if r.is == nil {
		return there && !isNothing(v)
	}
	return there && slices.ContainsFunc(r.is, func(want any) bool { return isLike(v, want) })
}

// isNothing reports whether v is null, false, "" or [].
func isNothing(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// isLike compares what an answer says with one alternative of a rule. Text and
// numbers are compared as text too, because headers have no types and APIs
// disagree on whether a code is a number.
func isLike(got, want any) bool {
	if want == nil || got == nil {
		return want == nil && got == nil
	}
	text, ok := scalar(got)
	if !ok {
		return false
	}
	switch want := want.(type) {
	case string:
		return isLikeText(text, want)
	case bool:
		return text == strconv.FormatBool(want)
	case int64:
		return isNumber(text, float64(want)) || text == strconv.FormatInt(want, 10)
	case uint64:
		return isNumber(text, float64(want)) || text == strconv.FormatUint(want, 10)
	case float64:
		return isNumber(text, want)
	}
	return false
}

// isLikeText compares with text that may have a * at either end.
func isLikeText(text, want string) bool {
	middle, open := strings.CutSuffix(want, "*")
	middle, begun := strings.CutPrefix(middle, "*")
	switch {
	case open && begun:
		return strings.Contains(text, middle)
	case open:
		return strings.HasPrefix(text, middle)
	case begun:
		return strings.HasSuffix(text, middle)
	}
	return text == want
}

func isNumber(text string, want float64) bool {
	got, err := json.Number(text).Float64()
	return err == nil && got == want
}

// maxRetryAfter bounds what an API may ask people to wait.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads Retry-After: seconds or a date (RFC 9110 §10.2.3); 0 where
// there is none that can be read.
func (a *answer) retryAfter() time.Duration {
	text := strings.TrimSpace(a.header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(a.at).Round(time.Second), 0), maxRetryAfter)
	}
	return 0
}
