package server_test

import (
	"strings"
	"testing"
)

// TestBadRequestSaysWhy: the log says why a sign-in body was refused, in configured
// names and numbers only. A field's name may be a password that slipped.
func TestBadRequestSaysWhy(t *testing.T) {
	const secret = "fieldname-MARKED"
	h, _ := openStepped(t, settings{})
	pending := h.begin()
	for _, row := range []struct {
		name, body, cookie, why string
	}{
		{"no object", `["` + secret + `"]`, "", "bad_request: the body is not one flat JSON object without empty values, each name once"},
		{"empty value", `{"email":"","password":"` + secret + `"}`, "", "bad_request: a field is empty"},
		{"name twice", `{"email":"a","email":"` + secret + `"}`, "", "a field is there twice"},
		{"boolean", `{"email":"` + secret + `","remember":true}`, "", "fields expected: email, password; missing: password; unknown: 1"},
		{"number", `{"email":"` + secret + `","password":1234}`, "", "field password is declared as text, and the page sent number"},
		{"null", `{"email":"` + secret + `","password":null}`, "", "a field is null"},
		{"object", `{"user":{"email":"` + secret + `"}}`, "", "a field is a list or an object"},
		{"NUL", `{"email":"` + secret + `\u0000"}`, "", "a field has a NUL"},
		{"not UTF-8", `{"email":"` + secret + "\xff" + `"}`, "", "the body is not UTF-8"},
		{"behind the end", `{"email":"a","password":"b"}` + secret, "", "the body is not one flat JSON object"},
		{"another name", `{"` + secret + `":"a","password":"b"}`, "", "fields expected: email, password; missing: email; unknown: 1"},
		{"one too many", `{"email":"a","password":"b","` + secret + `":"c"}`, "", "missing: none; unknown: 1"},
		{"nothing", `{}`, "", "missing: email, password; unknown: 0"},
		{"step: another", `{"step":"` + secret + `","otp":"1"}`, pending, "another step is pending: otp"},
		{"step: no field", `{"step":"otp"}`, pending, "fields expected: otp, remember?; missing: otp; unknown: 0"},
		{"step: another name", `{"step":"otp","` + secret + `":"1"}`, pending, "missing: otp; unknown: 1"},
	} {
		before := len(h.logs.String())
		headers := []string{}
		if row.cookie != "" {
			headers = append(headers, row.cookie)
		}
		got := h.post(row.body, headers...)
		h.want(got, 400, "bad_request")
		if strings.Contains(got.body, "missing") || strings.Contains(got.body, "expected") {
			t.Errorf("%s: the browser is told %s", row.name, got.body)
		}
		if line := h.logs.String()[before:]; !strings.Contains(line, row.why) { // written before the answer is
			t.Errorf("%s: no %q in %s", row.name, row.why, line)
		}
	}
	if strings.Contains(h.logs.String(), secret) {
		t.Errorf("bytes of a request stand in the log:\n%s", h.logs)
	}
}
