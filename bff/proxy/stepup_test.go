package proxy

import (
	"testing"

	"coatcheck/bff/http1"
)

func TestStepUp(t *testing.T) {
	for header, want := range map[string]string{
		`Bearer error="insufficient_user_authentication", error_description="more", acr_values="gold"`:      "acr=gold",
		`Bearer realm="x", acr_values="gold silver", max_age="300", error=insufficient_user_authentication`: "acr=gold+silver&max_age=300",
		`DPoP algs="ES256", error="insufficient_user_authentication", max_age=0`:                            "max_age=0",
		`Bearer error="insufficient_user_authentication"`:                                                   "prompt=login",
		`Bearer error="invalid_token", acr_values="gold"`:                                                   "",
		`Bearer error="insufficient_user_authentication", max_age="-1"`:                                     "prompt=login",
		`Bearer error="insufficient_user_authentication", acr_values="a\"b&c=d"`:                            "acr=a%22b%26c%3Dd",
		`Bearer error="insufficient_user_authentication", acr_values="unended`:                              "prompt=login",
		`Bearer`: "",
		``:       "",
	} {
		if got := stepUp([]http1.Field{{Name: []byte("WWW-Authenticate"), Value: []byte(header)}}); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", header, got, want)
		}
	}
}
