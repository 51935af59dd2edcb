package server_test

import (
	"strings"
	"testing"

	"coatcheck/bff/rig"
)

// spend posts a code until the pending sign-in takes none any more, and returns how
// many codes it took. The Cookie header follows the answers.
func (h *house) spend(c, step string) (n int) {
	h.t.Helper()
	for ; n < 20; n++ {
		got := h.post(code(c), step)
		if strings.Contains(got.body, "session_expired") {
			return n
		}
		if value, _, _ := strings.Cut(set(got)[stepCookie], ";"); value != "" {
			step = "Cookie: " + stepCookie + "=" + value
		}
	}
	h.t.Fatalf("code %s: no end of tries\n%s", c, h.logs)
	return n
}

// TestTriesOfEveryKind: five codes are checked, in whatever way the API says that one
// is wrong; also where it begins the same step anew.
func TestTriesOfEveryKind(t *testing.T) {
	for name, s := range stores() {
		for _, c := range []string{"000000", "again", "form"} {
			t.Run(name+" "+c, func(t *testing.T) {
				h, f := openStepped(t, s)
				if n := h.spend(c, h.begin()); n > 5 || f.count("/mfa") != 5 {
					t.Errorf("%d answers, %d codes checked", n, f.count("/mfa"))
				}
			})
		}
	}
}

// TestTriesGivenBack: a failure of the API is no try, so the person can go on when it
// is over.
func TestTriesGivenBack(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			h, _ := openStepped(t, s)
			step := h.begin()
			for range 4 {
				h.want(h.post(code("000000"), step), 401, "mfa_required")
			}
			for range 9 {
				h.want(h.post(code("broken"), step), 502, "upstream_invalid")
			}
			h.pending(true, step)
			if got := h.post(code("123456"), step); got.StatusCode != 200 {
				t.Errorf("%d %s", got.StatusCode, got.body)
			}
		})
	}
}

// TestFormOfCode: the API complains about a field's form; the page is told the names of
// its own fields, and nothing else.
func TestFormOfCode(t *testing.T) {
	h, _ := openStepped(t, settings{})
	got := h.post(code("form"), h.begin())
	h.want(got, 422, "invalid_fields")
	if !strings.Contains(got.body, `"fields":["otp"]`) {
		t.Error(got.body)
	}
}

// TestStepsGiveCountsBack: a sign-in of two halves that succeeds leaves nothing on the
// address's count; one that is left half done does.
func TestStepsGiveCountsBack(t *testing.T) {
	for name, s := range stores() {
		t.Run(name, func(t *testing.T) {
			s.edit = func(yaml string) string { return replaced(yaml, "address: 50", "address: 4") }
			h, _ := openStepped(t, s)
			for range 6 {
				step := h.begin()
				got := h.post(code("mail"), step)
				second, _, _ := strings.Cut(set(got)[stepCookie], ";")
				if got := h.post(`{"step":"mail","code":"9"}`, "Cookie: "+stepCookie+"="+second); got.StatusCode != 200 {
					t.Fatalf("%d %s", got.StatusCode, got.body)
				}
			}
			for range 4 {
				h.begin()
			}
			h.want(h.post(loginBody("ada@x.test", rig.PasswordMark)), 429, "too_many_attempts")
		})
	}
}
