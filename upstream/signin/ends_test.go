package signin_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/upstream"
)

// When a token ends: expires_in, expires_at and a JWT's exp, the earliest of them.
func TestExpires(t *testing.T) {
	unix := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	stamp := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	const none, bad = 0, -1
	for name, c := range map[string]struct {
		places, body string
		want         time.Duration // none: unknown; bad: the sign-in fails
	}{
		"number":               {"expires_in: /e", `"e":3600`, time.Hour},
		"text":                 {"expires_in: /e", `"e":"3600"`, time.Hour},
		"decimals":             {"expires_in: /e", `"e":1.5`, 1500 * time.Millisecond},
		"decimal text":         {"expires_in: /e", `"e":"1.5"`, 1500 * time.Millisecond},
		"exponent":             {"expires_in: /e", `"e":36e2`, time.Hour},
		"milliseconds":         {"expires_in: {at: /e, unit: ms}", `"e":900000`, 15 * time.Minute},
		"ten years":            {"expires_in: /e", `"e":315360000`, 315360000 * time.Second},
		"more":                 {"expires_in: /e", `"e":315360001`, none},
		"ms taken for s":       {"expires_in: /e", `"e":1700000000000`, none},
		"huge":                 {"expires_in: /e", `"e":1e400`, none},
		"zero":                 {"expires_in: /e", `"e":0`, none},
		"negative":             {"expires_in: /e", `"e":-1`, none},
		"word":                 {"expires_in: /e", `"e":"soon"`, none},
		"hexadecimal text":     {"expires_in: /e", `"e":"0x10"`, none},
		"not a number text":    {"expires_in: /e", `"e":"NaN"`, none},
		"infinite text":        {"expires_in: /e", `"e":"Inf"`, none},
		"exponent text":        {"expires_in: /e", `"e":"1e3"`, none},
		"empty text":           {"expires_in: /e", `"e":""`, none},
		"a point":              {"expires_in: /e", `"e":"."`, none},
		"truth":                {"expires_in: /e", `"e":true`, none},
		"a list":               {"expires_in: /e", `"e":[60]`, none},
		"null":                 {"expires_in: /e", `"e":null`, none},
		"absent":               {"expires_in: /e", `"x":1`, none},
		"not configured":       {"", `"expires_in":60`, none},
		"unix":                 {"expires_at: /e", `"e":` + unix(time.Hour), time.Hour},
		"unix text":            {"expires_at: /e", `"e":"` + unix(time.Hour) + `"`, time.Hour},
		"unix milliseconds":    {"expires_at: {at: /e, unit: ms}", `"e":` + unix(time.Hour) + "000", time.Hour},
		"unix ms taken for s":  {"expires_at: /e", `"e":` + unix(time.Hour) + "000", none},
		"unix past":            {"expires_at: /e", `"e":` + unix(-time.Hour), bad},
		"unix s taken for ms":  {"expires_at: {at: /e, unit: ms}", `"e":` + unix(time.Hour), bad},
		"date":                 {"expires_at: /e", `"e":"` + stamp(time.Hour) + `"`, time.Hour},
		"date, small letters":  {"expires_at: /e", `"e":"` + strings.ToLower(stamp(time.Hour)) + `"`, time.Hour},
		"date with zone":       {"expires_at: /e", `"e":"` + now.Add(time.Hour).In(time.FixedZone("", 7200)).Format("2006-01-02T15:04:05.000000Z07:00") + `"`, time.Hour},
		"date past":            {"expires_at: /e", `"e":"2001-01-01T00:00:00Z"`, bad},
		"date without zone":    {"expires_at: /e", `"e":"2101-01-01T00:00:00"`, none},
		"in before at":         {"expires_in: /i, expires_at: /e", `"i":60,"e":` + unix(time.Hour), time.Minute},
		"at before in":         {"expires_in: /i, expires_at: /e", `"i":3600,"e":` + unix(time.Minute), time.Minute},
		"JWT":                  {"", `"token":"` + jwt(`{"exp":`+unix(time.Minute)+`}`) + `"`, time.Minute},
		"JWT earlier":          {"expires_in: /e", `"e":3600,"token":"` + jwt(`{"exp":`+unix(time.Minute)+`}`) + `"`, time.Hour},
		"JWT later":            {"expires_in: /e", `"e":60,"token":"` + jwt(`{"exp":`+unix(time.Hour)+`}`) + `"`, time.Minute},
		"JWT a little earlier": {"expires_in: /e", `"e":3600,"token":"` + jwt(`{"exp":`+unix(time.Hour-30*time.Second)+`}`) + `"`, time.Hour - 30*time.Second},
		"JWT behind":           {"expires_in: /e", `"e":300,"token":"` + jwt(`{"exp":`+unix(-10*time.Second)+`}`) + `"`, 5 * time.Minute},
		"date past, JWT not":   {"expires_at: /e", `"e":` + unix(-time.Hour) + `,"token":"` + jwt(`{"exp":`+unix(time.Hour)+`}`) + `"`, time.Hour},
		"both past":            {"expires_at: /e", `"e":` + unix(-time.Hour) + `,"token":"` + jwt(`{"exp":`+unix(-time.Minute)+`}`) + `"`, bad},
		"date past, time left": {"expires_in: /i, expires_at: /e", `"i":60,"e":` + unix(-time.Hour), time.Minute},
		"no time, JWT":         {"expires_in: /e", `"e":0,"token":"` + jwt(`{"exp":`+unix(time.Minute)+`}`) + `"`, time.Minute},
		"JWT of ages":          {"", `"token":"` + jwt(`{"exp":9999999999}`) + `"`, none},
		"JWT past":             {"", `"token":"` + jwt(`{"exp":`+unix(-time.Minute)+`}`) + `"`, bad},
		"JWT without exp":      {"", `"token":"` + jwt(`{"sub":"a"}`) + `"`, none},
		"JWT with odd exp":     {"", `"token":"` + jwt(`{"exp":"never"}`) + `"`, none},
		"JWT that is none":     {"", `"token":"a.b.c"`, none},
		"header":               {"expires_at: {header: expiry}", `"x":1`, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(plain, "expires_in: /expires", c.places, 1)
			answer := reply{status: 200, header: map[string]string{"expiry": unix(time.Hour)}, body: `{"token":"a",` + c.body + `}`}
			u, _ := oneAPI(t, strings.Replace(text, ", }", "}", 1), answer)
			in, err := signIn(u)
			switch {
			case c.want == bad:
				if !errors.Is(err, upstream.ErrInvalid) {
					t.Fatalf("accepted (%v)", err)
				}
			case err != nil:
				t.Fatal(err)
			case c.want == none:
				if !in.Credential.Expires.IsZero() {
					t.Fatalf("ends %v", in.Credential.Expires)
				}
			case in.Credential.Expires.Sub(now) != c.want:
				t.Fatalf("ends in %v, want %v", in.Credential.Expires.Sub(now), c.want)
			}
		})
	}
}

// A token that has ended here lives by the clock of an API that is behind, where the Date
// of its answer shows that it is. What is left by that clock counts from now.
func TestExpiresByItsClock(t *testing.T) {
	const refused = -1
	unix := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	ago := func(d time.Duration) string { return now.Add(-d).UTC().Format(http.TimeFormat) }
	exp := func(d time.Duration) string { return `"token":"` + jwt(`{"exp":`+unix(d)+`}`) + `"` }
	for name, c := range map[string]struct {
		date, places, body string
		want               time.Duration
	}{
		"behind":                   {ago(time.Hour), "", exp(-50 * time.Minute), 10 * time.Minute},
		"behind, a date":           {ago(time.Hour), "expires_at: /e", `"e":` + unix(-30*time.Minute), 30 * time.Minute},
		"behind, the earliest":     {ago(time.Hour), "expires_at: /e", `"e":` + unix(-30*time.Minute) + "," + exp(-50*time.Minute), 10 * time.Minute},
		"behind, one past":         {ago(time.Hour), "expires_at: /e", `"e":` + unix(-2*time.Hour) + "," + exp(-50*time.Minute), 10 * time.Minute},
		"behind, past there":       {ago(time.Hour), "", exp(-2 * time.Hour), refused},
		"behind, ends that second": {ago(time.Hour), "", exp(-time.Hour), refused},
		"behind, ahead here":       {ago(time.Hour), "", exp(time.Minute), time.Minute},
		"within the slack":         {ago(time.Minute), "", exp(-30 * time.Second), refused},
		"beyond the slack":         {ago(61 * time.Second), "", exp(-31 * time.Second), 30 * time.Second},
		"its clock is ahead":       {ago(-time.Hour), "", exp(-time.Minute), refused},
		"unreadable":               {"yesterday", "", exp(-time.Minute), refused},
		"none":                     {"", "", exp(-time.Minute), refused},
		"time left":                {ago(time.Hour), "expires_in: /i", `"i":300,` + exp(-50*time.Minute), 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(strings.Replace(plain, "expires_in: /expires", c.places, 1), ", }", "}", 1)
			u, _ := oneAPI(t, text, reply{status: 200, header: map[string]string{"Date": c.date}, body: `{"token":"a",` + c.body + `}`})
			in, err := signIn(u)
			switch {
			case c.want == refused && !errors.Is(err, upstream.ErrInvalid):
				t.Errorf("accepted (%v)", err)
			case c.want != refused && err != nil:
				t.Error(err)
			case c.want != refused && in.Credential.Expires.Sub(now) != c.want:
				t.Errorf("ends in %v, want %v", in.Credential.Expires.Sub(now), c.want)
			}
		})
	}
}

// When the refresh token ends: 0 is unknown, and some live very long.
func TestRefreshExpires(t *testing.T) {
	const none = 0
	for name, c := range map[string]struct {
		places, value string
		want          time.Duration
	}{
		"in":            {"refresh_expires_in: /e", "1800", 30 * time.Minute},
		"ms":            {"refresh_expires_in: {at: /e, unit: ms}", "1800000", 30 * time.Minute},
		"zero":          {"refresh_expires_in: /e", "0", none},
		"zero text":     {"refresh_expires_in: /e", `"0"`, none},
		"zero date":     {"refresh_expires_at: /e", "0", none},
		"null":          {"refresh_expires_at: /e", "null", none},
		"twenty years":  {"refresh_expires_in: /e", "630720000", 630720000 * time.Second},
		"year 2100":     {"refresh_expires_at: /e", "4102444800", time.Unix(4102444800, 0).Sub(now)},
		"ms for s":      {"refresh_expires_in: /e", "1700000000000", none},
		"negative":      {"refresh_expires_in: /e", "-1", none},
		"past":          {"refresh_expires_at: /e", "1000000000", none},
		"neither":       {"refresh_expires_at: /e", `"never"`, none},
		"absent places": {"x: /x", "60", none},
	} {
		t.Run(name, func(t *testing.T) {
			u, _ := oneAPI(t, strings.Replace(plain, "expires_in: /expires", c.places, 1), reply{status: 200, body: `{"token":"a","refresh":"r","e":` + c.value + `}`})
			in, err := signIn(u)
			switch {
			case err != nil:
				t.Fatal(err)
			case c.want == none:
				if !in.Credential.RefreshExpires.IsZero() {
					t.Fatalf("ends %v", in.Credential.RefreshExpires)
				}
			case in.Credential.RefreshExpires.Sub(now) != c.want:
				t.Fatalf("ends in %v, want %v", in.Credential.RefreshExpires.Sub(now), c.want)
			}
		})
	}
}
