// Package realtest is what the tests of ready-made mappings against real servers share.
// Only tests import it.
package realtest

import (
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs/configtest"
	"coatcheck/configs/read"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// Must ends the test where err is one.
func Must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Mapping is the upstream of that name in a configuration, at the API's address; env are
// further variables, each "NAME=value".
func Mapping(t *testing.T, file, name, address string, env ...string) *signin.Upstream {
	t.Helper()
	values := map[string]string{"API_URL": address, "REDIS_URL": "memory://", "COATCHECK_KEY": base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv"))}
	for _, e := range env {
		variable, value, _ := strings.Cut(e, "=")
		values[variable] = value
	}
	config, faults := read.File(file, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	if config == nil {
		t.Fatal(faults)
	}
	configtest.Patient(config)
	set, err := signin.New(config.Upstreams, signin.Options{})
	Must(t, err)
	t.Cleanup(set.Close)
	return set.Get(name)
}

// Edited is a copy of a configuration with each old text, which must stand there once,
// replaced by the new one that follows it.
func Edited(t *testing.T, file string, oldNew ...string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	Must(t, err)
	edited := string(text)
	for i := 0; i < len(oldNew); i += 2 {
		if strings.Count(edited, oldNew[i]) != 1 {
			t.Fatalf("%s: %q does not stand there once", file, oldNew[i])
		}
		edited = strings.Replace(edited, oldNew[i], oldNew[i+1], 1)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(file))
	Must(t, os.WriteFile(copied, []byte(edited), 0o600))
	return copied
}

// Fields are what a page sends: names and values by turns.
func Fields(pairs ...string) map[string]credential.Secret {
	m := map[string]credential.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = credential.NewSecret(pairs[i+1])
	}
	return m
}

// Meaning is what an API's refusal means; "fault" is any other error, and "" none.
func Meaning(err error) string {
	var refusal *mapping.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Meaning
	case err != nil:
		return "fault"
	}
	return ""
}

// Status is what the API says to a GET of address that carries the person; nil: nobody.
func Status(t *testing.T, address string, u *signin.Upstream, c *credential.Credential) int {
	t.Helper()
	ask, err := http.NewRequest(http.MethodGet, address, nil)
	Must(t, err)
	for line := range strings.Lines(string(u.AppendSend(nil, c, mapping.Caller{}))) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			ask.Header.Set(name, value)
		}
	}
	answer, err := http.DefaultClient.Do(ask)
	Must(t, err)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// SignsIn signs a person in: a wrong password counts as one, the right one gives a token
// that opens the address, which is closed without it.
func SignsIn(t *testing.T, u *signin.Upstream, right, wrong map[string]credential.Secret, address string) *signin.SignedIn {
	t.Helper()
	now := time.Now()
	if _, err := u.Ways.SignIn(t.Context(), wrong, mapping.Caller{}, now); Meaning(err) != mapping.InvalidCredentials {
		t.Errorf("wrong password: %v", err)
	}
	in, err := u.Ways.SignIn(t.Context(), right, mapping.Caller{}, now)
	Must(t, err)
	if got := Status(t, address, u, in.Credential); got != http.StatusOK {
		t.Errorf("call with the token: %d", got)
	}
	if got := Status(t, address, u, nil); got < 400 || got > 403 {
		t.Errorf("call without one: %d, so it proves nothing", got)
	}
	return in
}
