package mapping

import (
	"net/http"
	"slices"
)

// Rule says what an answer of the API means.
type Rule struct {
	// Status it must have; 0 = any.
	Status int `yaml:"status" min:"100" max:"599"`
	// Place that is looked at.
	At *Place `yaml:"at"`
	// What stands there: scalar, null, or a list of them, text with * at either end. Without it: there, and not null, false, "" or [].
	Is *Match `yaml:"is"`
	// The meaning.
	Means string `yaml:"means" enum:"invalid_credentials|mfa_required|account_locked|account_disabled|account_unverified|password_expired|invalid_fields|too_many_attempts|upstream_invalid|session_expired|accepted"`
	// The step that follows.
	Step string `yaml:"step"`
}

// Sign is how an answer shows that it speaks of the token.
type Sign struct {
	// Status it must have; 0 = any.
	Status int `yaml:"status" min:"100" max:"599"`
	// Place that is looked at: a header, or a pointer into a JSON body of at most 64 KiB.
	At *Place `yaml:"at"`
	// What stands there: scalar, null, or a list of them, text with * at either end. Without it: there, and not null, false, "" or [].
	Is *Match `yaml:"is"`
}

// rule is the sign as a rule, whatever that means.
func (s Sign) rule() *Rule { return &Rule{s.Status, s.At, s.Is, SessionExpired, ""} }

// Faults is what is wrong with the sign by itself.
func (s Sign) Faults() []*Fault {
	faults := s.rule().Faults()
	switch {
	case s.At == nil:
	case s.At.Cookie != "":
		faults = append(faults, &Fault{"at", "cookies of proxied answers are not looked at", "at: /code, or {header: X-Error}"})
	case s.At.Header == "" && s.At.Pointer == "":
		faults = append(faults, &Fault{"at", "a whole body is not compared", "at: /code"})
	}
	return faults
}

// Matches reports whether a shows the sign.
func (s Sign) Matches(a *Response) bool { return s.rule().Matches(a) }

// MayMatch reports whether an answer of this status could show the sign.
func (s Sign) MayMatch(status int) bool { return s.Status == 0 || s.Status == status }

// InBody reports whether the sign stands in the body.
func (s Sign) InBody() bool { return s.At != nil && s.At.InBody() }

// Match is a list of scalars, each nil, bool, int64, uint64, float64, [json.Number] or string; one of
// them must be what stands at the place.
type Match struct{ Values []any }

// Faults is what is wrong with the rule by itself, its place included.
func (r *Rule) Faults() []*Fault {
	var faults []*Fault
	switch {
	case r.At == nil && r.Is != nil:
		faults = append(faults, &Fault{"", "is needs a place to look at", "at: /error"})
	case r.At == nil && r.Status == 0:
		faults = append(faults, &Fault{"", "this would match every answer: neither status nor at", "status: 401, or at: /error"})
	}
	if r.At != nil && r.At.Name != "" {
		faults = append(faults, &Fault{"at", "a rule looks at the answer", "at: /error"})
	}
	if r.At != nil {
		for _, f := range r.At.Faults() {
			faults = append(faults, f.below("at"))
		}
	}
	if (r.Means == "") == (r.Step == "") {
		faults = append(faults, &Fault{"", "exactly one of means and step is needed", "means: invalid_credentials"})
	}
	return faults
}

// Rules say what a response means: the first of List that matches; then a 429;
// then the statuses of Rejected; then a 2xx may hold what was asked for.
// Everything else is unusable, and nobody's fault but the API's.
type Rules struct {
	// List is the file's answers, in order.
	List []Rule
	// Rejected are the statuses that mean a refusal.
	Rejected []int
	// RejectedMeans is the meaning of that refusal.
	RejectedMeans string
	// Presumed says that Rejected is a default, which nobody wrote for this API: a page
	// (HTML) with such a status is then no refusal, but the API's failure.
	Presumed bool
}

// Faults is what is wrong with the rules, each by itself.
func (r *Rules) Faults() []*Fault {
	var faults []*Fault
	for i := range r.List {
		faults = append(faults, r.List[i].Faults()...)
	}
	return faults
}

// Read returns the step that follows a response, or nothing where it is a success. It
// fails with a *[Refusal] or with [upstream.ErrInvalid]. known says which names a Refusal
// may mention.
func (r *Rules) Read(a *Response, known func(string) bool) (step string, err error) {
	for i := range r.List {
		if r.List[i].Matches(a) {
			return r.List[i].verdict(a, known)
		}
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		return "", &Refusal{Meaning: TooManyAttempts, RetryAfter: a.retryAfter()}
	case slices.Contains(r.Rejected, a.Status) && !(r.Presumed && a.IsHTML()):
		return "", &Refusal{Meaning: r.RejectedMeans}
	case a.Status < 200 || a.Status > 299:
		return "", Invalid("status %d", a.Status)
	}
	return "", nil
}

// verdict is what a matching rule says.
func (r *Rule) verdict(a *Response, known func(string) bool) (step string, err error) {
	if r.Step != "" {
		return r.Step, nil
	}
	refusal := &Refusal{Meaning: r.Means}
	switch r.Means {
	case Unusable, "":
		return "", Invalid("status %d, which a rule calls %s", a.Status, Unusable)
	case TooManyAttempts:
		refusal.RetryAfter = a.retryAfter()
	case InvalidFields:
		refusal.Fields = r.fields(a, known)
	}
	return "", refusal
}

// fields are the keys at the rule's place that are known names.
func (r *Rule) fields(a *Response, known func(string) bool) []string {
	if r.At == nil {
		return nil
	}
	at, _ := r.At.Extract(a)
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

// Matches reports whether the rule is about a.
func (r *Rule) Matches(a *Response) bool {
	if r.Status != 0 && r.Status != a.Status {
		return false
	}
	if r.At == nil {
		return true
	}
	v, there := r.At.Extract(a)
	if r.Is == nil {
		return there && !IsEmpty(v)
	}
	return there && slices.ContainsFunc(r.Is.Values, func(want any) bool { return isLike(v, want) })
}

// IsEmpty reports whether v is null, false, "" or [].
func IsEmpty(v any) bool {
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
