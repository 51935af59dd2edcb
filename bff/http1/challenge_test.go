package http1_test

import (
	"fmt"
	"strings"
	"testing"

	"coatcheck/bff/http1"
)

func challenges(lines ...string) (all []string) {
	var fields []http1.Field
	for _, line := range lines {
		fields = append(fields, http1.Field{Name: []byte("WWW-Authenticate"), Value: []byte(line)})
	}
	http1.EachChallenge(fields, func(scheme string, p map[string]string) bool {
		all = append(all, fmt.Sprint(scheme, " ", p))
		return true
	})
	return all
}

// TestChallenges: several on a line, and on several lines (RFC 9110 §11.6.1).
func TestChallenges(t *testing.T) {
	for line, want := range map[string]string{
		`DPoP error="use_dpop_nonce", algs="ES256"`:                                     `dpop map[algs:ES256 error:use_dpop_nonce]`,
		`Bearer realm="a, b", DPoP error = "use_dpop_nonce"`:                            `bearer map[realm:a, b]; dpop map[error:use_dpop_nonce]`,
		`Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple"`: `newauth map[realm:apps title:Login to "apps" type:1]; basic map[realm:simple]`,
		`Bearer, DPoP`:                    `bearer map[]; dpop map[]`,
		` , ,DPOP ERROR=one, error="two"`: `dpop map[error:one]`,
		`Negotiate a87421000492aa874209af8bc028==, DPoP error="x"`: `negotiate map[a87421000492aa874209af8bc028:=]; dpop map[error:x]`,
		`DPoP error="unended`: `dpop map[]`,
		`="x" DPoP error="x"`: ``,
		``:                    ``,
	} {
		if got := strings.Join(challenges(line), "; "); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
	if got := challenges(`Bearer`, `"`, `DPoP error=x`); len(got) != 2 {
		t.Errorf("%q", got)
	}
}

// FuzzChallenge: whatever an API writes is read to its end.
func FuzzChallenge(f *testing.F) {
	for _, seed := range []string{`DPoP error="use_dpop_nonce"`, `Bearer a="b\"c", DPoP d=e`, `a b==`, `,=,"`, `A x="`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		n := 0
		http1.EachChallenge([]http1.Field{{Name: []byte("www-authenticate"), Value: []byte(line)}}, func(scheme string, parameters map[string]string) bool {
			if n++; scheme == "" || strings.ToLower(scheme) != scheme || parameters == nil || n > len(line) {
				t.Fatalf("%q: %q %v", line, scheme, parameters)
			}
			return true
		})
	})
}
