// Package pocketbase_test runs the mapping of configs/apis/pocketbase.yaml against a
// real PocketBase. It is a module of its own, so that the product needs none of it.
package pocketbase_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the tables

	"coatcheck/bff/credential"
	"coatcheck/configs/read"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

const password = "a long password"

// server is a PocketBase with one person.
type server struct {
	*httptest.Server
	app    core.App
	person *core.Record
	mails  chan string
}

func start(t *testing.T) *server {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	must(t, app.Bootstrap())
	must(t, app.RunAllMigrations())
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	s := &server{app: app, mails: make(chan string, 4)}
	app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
		s.mails <- e.Message.HTML + e.Message.Text
		return nil // not sent
	})
	users, err := app.FindCollectionByNameOrId("users")
	must(t, err)
	s.person = core.NewRecord(users)
	s.person.SetEmail("ada@example.com")
	s.person.SetPassword(password)
	s.person.SetVerified(true)
	must(t, app.Save(s.person))
	router, err := apis.NewRouter(app)
	must(t, err)
	mux, err := router.BuildMux()
	must(t, err)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// mapping is the ready-made one, at the server.
func (s *server) mapping(t *testing.T) *signin.Upstream {
	t.Helper()
	env := map[string]string{"API_URL": s.URL, "REDIS_URL": "memory://", "COATCHECK_KEY": base64.StdEncoding.EncodeToString([]byte("0123456789abcdefghijklmnopqrstuv"))}
	config, faults := read.File("../../../configs/apis/pocketbase.yaml", func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if config == nil {
		t.Fatal(faults)
	}
	set, err := signin.New(config.Upstreams, signin.Options{})
	must(t, err)
	t.Cleanup(set.Close)
	return set.Get("pocketbase")
}

func fields(pairs ...string) map[string]credential.Secret {
	m := map[string]credential.Secret{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = credential.NewSecret(pairs[i+1])
	}
	return m
}

func meaning(err error) string {
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) {
		return refusal.Meaning
	}
	if err != nil {
		return "fault"
	}
	return ""
}

// status is what the API says to a call that carries the person.
func (s *server) status(t *testing.T, u *signin.Upstream, c *credential.Credential) int {
	t.Helper()
	ask, err := http.NewRequest("GET", s.URL+"/api/collections/users/records/"+s.person.Id, nil)
	must(t, err)
	if name, value, ok := strings.Cut(strings.TrimSpace(string(u.AppendSend(nil, c, mapping.Caller{}))), ": "); ok {
		ask.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(ask)
	must(t, err)
	_ = answer.Body.Close()
	return answer.StatusCode
}

// TestPocketBase: sign-in, refusals, a token that renews itself, and its end.
func TestPocketBase(t *testing.T) {
	s := start(t)
	u, ctx, now := s.mapping(t), t.Context(), time.Now()
	for _, wrong := range []map[string]credential.Secret{fields("email", "ada@example.com", "password", "no"), fields("email", "nobody@example.com", "password", password)} {
		if _, err := u.Ways.SignIn(ctx, wrong, mapping.Caller{}, now); meaning(err) != "invalid_credentials" {
			t.Errorf("wrong password: %v", err)
		}
	}
	in, err := u.Ways.SignIn(ctx, fields("email", "ada@example.com", "password", password), mapping.Caller{}, now)
	must(t, err)
	if in.Subject != s.person.Id || in.Credential.Expires.Sub(now) < time.Hour || string(in.User["email"]) != `"ada@example.com"` {
		t.Errorf("subject %q, ends %v, user %s", in.Subject, in.Credential.Expires, in.UserJSON())
	}
	if got := s.status(t, u, in.Credential); got != 200 {
		t.Errorf("call with the token: %d", got)
	}
	if got := s.status(t, u, nil); got == 200 {
		t.Error("the call needs no token, so it proves nothing")
	}
	next, err := u.Refresh(ctx, in.Credential, mapping.Caller{}, now)
	must(t, err)
	if s.status(t, u, next) != 200 || !u.Renews(next) {
		t.Error("the renewed token does not work")
	}
	s.person.SetPassword("another password") // ends all tokens
	must(t, s.app.Save(s.person))
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); meaning(err) != mapping.SessionExpired {
		t.Errorf("dead token: %v", err)
	}
	s.Close()
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("server away: %v", err)
	}
}

// TestPocketBaseSecondFactor: a code by mail, wrong and right.
func TestPocketBaseSecondFactor(t *testing.T) {
	s := start(t)
	users, err := s.app.FindCollectionByNameOrId("users")
	must(t, err)
	users.OTP.Enabled, users.MFA.Enabled = true, true
	must(t, s.app.Save(users))
	u, ctx, now := s.mapping(t), t.Context(), time.Now()
	in, err := u.Ways.SignIn(ctx, fields("email", "ada@example.com", "password", password), mapping.Caller{}, now)
	must(t, err)
	if in.Step == nil || in.Step.Name != "mail" {
		t.Fatalf("no step: %+v", in)
	}
	in, err = u.Ways.Continue(ctx, in.Step.Name, in.Step.Kept, fields("address", "ada@example.com"), mapping.Caller{}, now)
	must(t, err)
	if in.Step == nil || in.Step.Name != "code" {
		t.Fatalf("no second step: %+v", in)
	}
	var code string
	select {
	case mail := <-s.mails:
		code = regexp.MustCompile(`\b[0-9]{8}\b`).FindString(mail)
	case <-time.After(10 * time.Second):
		t.Fatal("no mail")
	}
	if _, err := u.Ways.Continue(ctx, "code", in.Step.Kept, fields("code", "00000000"), mapping.Caller{}, now); meaning(err) != mapping.MFARequired {
		t.Errorf("wrong code: %v", err)
	}
	done, err := u.Ways.Continue(ctx, "code", in.Step.Kept, fields("code", code), mapping.Caller{}, now)
	must(t, err)
	if done.Subject != s.person.Id || s.status(t, u, done.Credential) != 200 {
		t.Errorf("signed in as %q", done.Subject)
	}
}
