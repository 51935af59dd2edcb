package configs_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

func TestKeyBytes(t *testing.T) {
	raw := strings.Repeat("\xfb\xff\x01z", 8) // 32 bytes whose base64 has + and /
	for what, c := range map[string]struct{ key, want string }{
		"base64":                    {base64.StdEncoding.EncodeToString([]byte(raw)), raw},
		"base64 without padding":    {base64.RawStdEncoding.EncodeToString([]byte(raw)), raw},
		"base64url":                 {base64.URLEncoding.EncodeToString([]byte(raw)), raw},
		"base64url without padding": {base64.RawURLEncoding.EncodeToString([]byte(raw)), raw},
		"text":                      {"a sentence of more than 32 bytes.", "a sentence of more than 32 bytes."},
		"32 letters":                {"abcdefghijklmnopqrstuvwxyzabcdef", "abcdefghijklmnopqrstuvwxyzabcdef"}, // 24 bytes if decoded
		"31 bytes in base64":        {base64.StdEncoding.EncodeToString([]byte(raw[:31])), base64.StdEncoding.EncodeToString([]byte(raw[:31]))},
		"31 bytes":                  {raw[:31], ""},
		"empty":                     {"", ""},
	} {
		got, err := configs.KeyBytes(credential.NewSecret(c.key))
		if string(got) != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, configs.ErrShortKey) {
			t.Errorf("%s: %q, %v, want %q", what, got, err, c.want)
		}
	}
}

func TestTheDocumentationsKeyIsRefused(t *testing.T) {
	for _, key := range []string{configs.ExampleKey, configs.ExampleKey + " ", strings.TrimRight(configs.ExampleKey, "=")} {
		c, faults := parse(small(""), map[string]string{"COATCHECK_KEY": strings.TrimSpace(key)})
		if c != nil || len(faults) != 1 || faults[0].Path != "sessions.keys[0]" {
			t.Errorf("%q: %v", key, faults)
		}
	}
}
