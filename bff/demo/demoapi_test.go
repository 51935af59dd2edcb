package demo

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/command"
	"coatcheck/bff/credential"
	demoapi "coatcheck/upstream/demo"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// asAPI is the demo as another API, and that API's ready-made mapping.
func asAPI(t *testing.T, api string) (u *signin.Upstream, address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = demoapi.Serve(ctx, l, demoapi.Options{API: api}) }() // ends with ctx
	t.Cleanup(func() { cancel(); <-ended })
	world := &command.Program{Getenv: func(string) (string, bool) { return "", false }, Stderr: io.Discard}
	config, err := configure(world, Options{API: api, Store: "memory://"}, map[string]string{"DEMO_PORT": "8080", "DEMO_API": "http://" + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	set, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set.Get("api"), l.Addr().String()
}

// TestDemoSpeaks: signing in at each API that the demo stands in for, by the mapping
// that is shipped for it.
func TestDemoSpeaks(t *testing.T) {
	caller := mapping.Caller{Address: netip.MustParseAddr("127.0.0.1"), UserAgent: "UA"}
	person := func(email, password, otp string) map[string]credential.Secret {
		m := map[string]credential.Secret{"email": credential.NewSecret(email), "password": credential.NewSecret(password)}
		if otp != "" {
			m["otp"] = credential.NewSecret(otp)
		}
		return m
	}
	for _, api := range demoapi.Speaks() {
		t.Run(api, func(t *testing.T) {
			u, address := asAPI(t, api)
			ctx, now := t.Context(), time.Now()
			refused := func(fields map[string]credential.Secret) string {
				_, err := u.Ways.SignIn(ctx, fields, caller, now)
				var refusal *mapping.Refusal
				if errors.As(err, &refusal) {
					return refusal.Meaning
				}
				return "not refused"
			}
			if got := refused(person("ada@shop.example", "no", "")); got != mapping.InvalidCredentials {
				t.Errorf("wrong password: %s", got)
			}
			in, err := u.Ways.SignIn(ctx, person("ada@shop.example", "engine-number-one", ""), caller, now)
			if err != nil || in.Step != nil || in.Subject == "" {
				t.Fatalf("%+v %v", in, err)
			}
			if got := callMe(t, u, in.Credential, address); got != 200 {
				t.Errorf("call: %d", got)
			}
			last := in.Credential
			if u.Renews(last) {
				if last, err = u.Refresh(ctx, last, caller, now); err != nil || last.Value("refresh_token").Equal(in.Credential.Value("refresh_token")) {
					t.Fatalf("refresh: %v", err)
				}
			}
			// After oauth2's exchange there is no refresh token, and so nothing to revoke.
			if err := u.SignOut(ctx, last, caller); err != nil || u.CanSignOut() && api != "oauth2" && callMe(t, u, last, address) != 401 {
				t.Errorf("the token outlives its sign-out (%v)", err)
			}
			grace := func(otp string) map[string]credential.Secret {
				return person("grace@shop.example", "ship-in-harbour", otp)
			}
			switch {
			case !demoapi.AsksForCode(api):
			case !u.Ways.HasSteps():
				if got := refused(grace("")); got != mapping.MFARequired {
					t.Errorf("no code: %s", got)
				}
				if _, err := u.Ways.SignIn(ctx, grace(demoapi.Code), caller, now); err != nil || refused(grace("000000")) != mapping.MFARequired {
					t.Errorf("code: %v", err)
				}
			default:
				in, err := u.Ways.SignIn(ctx, grace(""), caller, now)
				if err != nil || in.Step == nil {
					t.Fatalf("no step: %v", err)
				}
				code := map[string]credential.Secret{"otp": credential.NewSecret(demoapi.Code)}
				done, err := u.Ways.Continue(ctx, in.Step.Name, in.Step.Kept, code, caller, now)
				if err != nil || done.Subject != "p-1002" || callMe(t, u, done.Credential, address) != 200 {
					t.Errorf("step: %v", err)
				}
			}
		})
	}
}

// callMe calls the API as a proxied call would.
func callMe(t *testing.T, u *signin.Upstream, c *credential.Credential, address string) int {
	t.Helper()
	ask, err := http.NewRequest("GET", "http://"+address+"/api/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(u.AppendSend(nil, c, mapping.Caller{}))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		ask.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestDemoSpeaksFifteen: the demo can stand in for at least the APIs whose exchanges are
// played through short mappings.
func TestDemoSpeaksFifteen(t *testing.T) {
	text, err := os.ReadFile("../../upstream/signin/testdata/mappings.yaml")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, ":")
		if line[0] == ' ' || line[0] == '#' || name == "securetoken" {
			continue
		}
		if n++; !slices.Contains(demoapi.Speaks(), name) {
			t.Errorf("the demo cannot stand in for %s", name)
		}
	}
	if n != 15 {
		t.Errorf("%d APIs", n)
	}
}
