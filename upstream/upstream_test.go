package upstream_test

import (
	"strings"
	"testing"

	"coatcheck/upstream"
)

// An API's URL says where it is and nothing else.
func TestParseURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://api.example.net":       "https://api.example.net",
		"https://API.example.net:443/":  "https://api.example.net",
		"http://api.example.net.:80/v1": "http://api.example.net/v1",
		"http://[::1]:8080/a%2Fb//":     "http://[::1]:8080/a%2Fb",
		"https://[2001:db8::1]":         "https://[2001:db8::1]",
		"api.example.net":               "",
		"ftp://api.example.net":         "",
		"https://u:p@api.example.net":   "",
		"https://api.example.net/?a=b":  "",
		"https://api.example.net/#a":    "",
		"https://:443":                  "",
		"":                              "",
	} {
		a, err := upstream.ParseURL(raw)
		switch {
		case want == "" && err == nil:
			t.Errorf("%q is taken: %s", raw, a.URL())
		case want != "" && (err != nil || a.URL() != want):
			t.Errorf("%q: %v, %v", raw, a, err)
		case err != nil && raw != "" && strings.Contains(err.Error(), "u:p"):
			t.Errorf("%q: the error repeats it", raw)
		}
	}
}
