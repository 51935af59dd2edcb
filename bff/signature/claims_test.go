package signature_test

import (
	"strings"
	"testing"

	"coatcheck/bff/signature"
)

func claim(at string, is ...any) signature.Line {
	return signature.Line{At: &signature.Place{Pointer: &at}, Is: is}
}

// TestClaims: every line must hold; of a list one item is enough; nothing that is not
// there holds.
func TestClaims(t *testing.T) {
	const claims = `{"azp":"erp","scope":"orders.read orders.write","roles":["batch","admin"],"n":7,"yes":true,"realm":{"roles":["x"]},"a/b":"c","empty":[],"nobody":null}`
	named := signature.Line{At: &signature.Place{Claim: "a/b"}, Is: []any{"c"}}
	for name, row := range map[string]struct {
		lines []signature.Line
		want  bool
	}{
		"none":               {nil, true},
		"one":                {[]signature.Line{claim("/azp", "erp")}, true},
		"another":            {[]signature.Line{claim("/azp", "crm")}, false},
		"one of two":         {[]signature.Line{claim("/azp", "crm", "erp")}, true},
		"both must hold":     {[]signature.Line{claim("/azp", "erp"), claim("/n", int64(8))}, false},
		"not there":          {[]signature.Line{claim("/sub", "erp")}, false},
		"an item":            {[]signature.Line{claim("/roles", "admin")}, true},
		"no item":            {[]signature.Line{claim("/roles", "adm")}, false},
		"an item inside":     {[]signature.Line{claim("/realm/roles", "x")}, true},
		"one item by index":  {[]signature.Line{claim("/roles/0", "batch")}, true},
		"an empty list":      {[]signature.Line{claim("/empty", "x")}, false},
		"a number":           {[]signature.Line{claim("/n", int64(7))}, true},
		"a number is text":   {[]signature.Line{claim("/n", "7")}, false},
		"truth":              {[]signature.Line{claim("/yes", true)}, true},
		"a star":             {[]signature.Line{claim("/scope", "*orders.write")}, true},
		"null":               {[]signature.Line{claim("/nobody", nil)}, true},
		"by name":            {[]signature.Line{named}, true},
		"there":              {[]signature.Line{claim("/roles")}, true},
		"an object is not":   {[]signature.Line{claim("/realm", "x")}, false},
		"the claims as such": {[]signature.Line{claim("", "x")}, false},
	} {
		compiled, faults := signature.CompileClaims(row.lines)
		if len(faults) > 0 {
			if row.want {
				t.Errorf("%s: %v", name, faults)
			}
			continue
		}
		if err := compiled.Admit([]byte(claims)); (err == nil) != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	twice, _ := signature.CompileClaims([]signature.Line{claim("/azp", "erp")})
	for _, bad := range []string{`{"azp":"erp","azp":"erp"}`, `{"azp":"erp"`, ``, `[]`, strings.Repeat("[", 200)} {
		if twice.Admit([]byte(bad)) == nil {
			t.Errorf("%s holds", bad)
		}
	}
}

// TestClaimsAreHeldAgainstConstants: a {name} means nothing in a token's claims.
func TestClaimsAreHeldAgainstConstants(t *testing.T) {
	for _, is := range []string{"{body}", "{url}", "{form}", "{x}", "{body.hmac.hex}"} {
		if _, faults := signature.CompileClaims([]signature.Line{claim("/azp", is)}); len(faults) == 0 {
			t.Errorf("%s is taken", is)
		}
	}
	plain, faults := signature.CompileClaims([]signature.Line{claim("/azp", "{{x}")})
	if len(faults) > 0 || plain.Admit([]byte(`{"azp":"{x}"}`)) != nil {
		t.Errorf("a plain brace: %v", faults)
	}
}
