package suite

import "time"

// Severity is what a failure costs.
type Severity string

// Severities, worst first.
const (
	Critical Severity = "critical" // a stranger gets a token, or acts as somebody else
	High     Severity = "high"     // an attack works under common conditions
	Medium   Severity = "medium"   // a second line of defence is missing
	Low      Severity = "low"      // good practice
)

// Groups of cases, in the order of the report.
const (
	Tokens    = "tokens"
	Cookies   = "cookies"
	CSRF      = "csrf"
	CORS      = "cors"
	FormGroup = "form"
	ProvGroup = "provider"
	TwoPeople = "people"
	Sessions  = "sessions"
	Outage    = "store"
	Paths     = "paths"
	Headers   = "headers"
	Caching   = "caching"
	Framing   = "framing"
	Streams   = "streams"
	Abuse     = "abuse"
	Expiry    = "expiry"
	InBrowser = "browser"
)

// Groups are all of them.
var Groups = []string{Tokens, Cookies, CSRF, CORS, FormGroup, ProvGroup, TwoPeople, Sessions, Expiry, Outage, Paths, Headers, Caching, Framing, Streams, Abuse, InBrowser}

// Case is one thing that a subject does or does not do, seen from outside.
type Case struct {
	// ID never changes its meaning. Group is one of the constants.
	ID, Group string
	Severity  Severity
	// Source is where the rule stands, Says what it says, in our words.
	Source, Says string
	// Pass is what a pass looks like from outside.
	Pass string
	// Brief: it looks at a second subject, whose sessions end soon, and leaves the first alone.
	Brief bool
	// Run looks. It ends without a word for a pass.
	Run func(t *T)
}

// Verdict is what became of a case.
type Verdict string

// Verdicts. An undecided case could not be looked at: it counts as neither.
const (
	Pass          Verdict = "pass"
	Fail          Verdict = "fail"
	NotApplicable Verdict = "not applicable"
	Undecided     Verdict = "undecided"
)

// Result is a verdict with its reason.
type Result struct {
	Case    Case          `json:"-"`
	ID      string        `json:"id"`
	Verdict Verdict       `json:"verdict"`
	Reason  string        `json:"reason,omitempty"`
	Took    time.Duration `json:"took"`
}
