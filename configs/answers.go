package configs

import (
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/credential"
)

// answers checks what answers are said to mean. what is login, step, refresh or verify.
func (ck *checker) answers(path string, answers []Answer, u *Upstream, what string) {
	for i, a := range answers {
		at := item(child(path, "answers"), i)
		if !ck.config.Source.Has(at) {
			continue // a default of ours
		}
		switch {
		case a.At == nil && a.Is != nil:
			ck.refuse(at, "is needs a place to look at", "at: /error")
		case a.At == nil && a.Status == 0:
			ck.refuse(at, "this would match every answer: neither status nor at", "status: 401, or at: /error")
		}
		if a.At != nil {
			ck.place(child(at, "at"), *a.At, false)
		}
		ck.outcome(at, a, u, what)
		ck.patterns(child(at, "is"), a.Is)
	}
}

// outcome checks what follows from an answer.
func (ck *checker) outcome(path string, a Answer, u *Upstream, what string) {
	signIn := what == "login" || what == "step"
	switch {
	case (a.Means == "") == (a.Step == ""):
		ck.refuse(path, "exactly one of means and step is needed", "means: invalid_credentials")
	case a.Step != "" && !signIn:
		ck.refuse(child(path, "step"), "only a sign-in has steps", "")
	case a.Step != "" && (u.Login == nil || u.Login.Steps[a.Step] == nil):
		var names []string
		if u.Login != nil {
			names = slices.Sorted(maps.Keys(u.Login.Steps))
		}
		ck.refuse(child(path, "step"), "there is no step of this name", suggest(a.Step, names))
	case a.Means == SessionExpired && signIn:
		ck.refuse(child(path, "means"), "session_expired is for refresh and verify", "invalid_credentials")
	case a.Means != "" && !signIn && !slices.Contains([]string{SessionExpired, "too_many_attempts", "upstream_invalid"}, a.Means):
		ck.warn(child(path, "means"), "here only session_expired ends the session; the others count as a failure of the API", "session_expired")
	}
}

// rejected warns of statuses that do not mean what a list of refusals says.
func (ck *checker) rejected(path string, statuses []int) {
	for i, status := range statuses {
		at := item(child(path, "rejected"), i)
		switch {
		case status < 300:
			ck.warn(at, "a success would count as a refusal", "")
		case status == 429:
			ck.warn(at, "429 means too_many_attempts anyway, and never a refusal", "remove it")
		case status >= 500:
			ck.warn(at, "a failure of the API would count against people", "remove it")
		}
	}
}

func (ck *checker) patterns(path string, m *Match) {
	if m == nil {
		return
	}
	for _, value := range m.Values {
		if s, ok := value.(string); ok && len(s) > 2 && strings.Contains(s[1:len(s)-1], "*") {
			ck.warn(path, "a * counts only at either end; within, it is a plain asterisk", "")
		}
	}
}

// credential checks where a credential is taken from.
func (ck *checker) credential(path string, places map[string]Place, needed bool) {
	if _, ok := places[credential.AccessToken]; needed && !ok && len(places) > 0 {
		ck.refuse(path, "access_token is missing: what the API calls its token goes under this name", "access_token: /token")
	}
	for name, p := range places {
		at := child(path, name)
		if !IsName(name) {
			ck.refuse(at, "a value is named with letters, digits, \"_\" and \"-\", and begins with a letter or \"_\"", "")
		}
		ck.place(at, p, true)
		if p.Unit == "ms" && !slices.Contains(ends, name) {
			ck.refuse(child(at, "unit"), "a unit is for expires_in, expires_at and their refresh_ kin", "")
		}
		if p.Follow && p.Header == "" && p.Cookie == "" {
			ck.refuse(child(at, "follow"), "only headers and cookies are followed: bodies pass unread", "{header: …, follow: true}")
		}
	}
	if len(places) == 0 {
		ck.refuse(path, "this is empty", "access_token: /token")
	}
}

// place checks a place in an answer; taking says whether it is one of a credential.
func (ck *checker) place(path string, p Place, taking bool) {
	ck.complain(path, checkPointer(p.Pointer))
	if p.Header != "" && !isToken(p.Header) {
		ck.refuse(child(path, "header"), "this is no name of a header", "")
	}
	if strings.EqualFold(p.Header, "Set-Cookie") {
		ck.refuse(child(path, "header"), "a cookie is taken by its name", "{cookie: NAME}")
	}
	if p.Cookie != "" && !isToken(p.Cookie) {
		ck.refuse(child(path, "cookie"), "this is no name of a cookie", "")
	}
	if !taking && p.Unit == "ms" {
		ck.refuse(child(path, "unit"), "a unit is for expires_in, expires_at and their refresh_ kin", "")
	}
	if !taking && p.Follow {
		ck.refuse(child(path, "follow"), "only values of a credential are followed", "")
	}
}

// checkPointer holds s against RFC 6901 §3.
func checkPointer(s string) complaint { return settled(s, pointerFault(s), pointerFault) }

func pointerFault(s string) complaint {
	switch {
	case s == "":
		return complaint{}
	case s[0] != '/':
		return complaint{"a place in JSON begins with / (RFC 6901)", "/" + strings.ReplaceAll(strings.TrimPrefix(s, "$."), ".", "/")}
	}
	for rest := s; ; {
		_, after, found := strings.Cut(rest, "~")
		if !found {
			return complaint{}
		}
		if after == "" || after[0] != '0' && after[0] != '1' {
			return complaint{"in a pointer ~ is written ~0, and / inside a name ~1 (RFC 6901)", ""}
		}
		rest = after[1:]
	}
}
