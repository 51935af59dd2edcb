// Package pocketbase_test runs the mapping of configs/apis/pocketbase.yaml against a
// real PocketBase. It is a module of its own, so that the product needs none of it.
package pocketbase_test

import (
	"errors"
	"net/http/httptest"
	"regexp"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations" // the tables

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/realapi/realtest"
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
	realtest.Must(t, app.Bootstrap())
	realtest.Must(t, app.RunAllMigrations())
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	s := &server{app: app, mails: make(chan string, 4)}
	app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
		s.mails <- e.Message.HTML + e.Message.Text
		return nil // not sent
	})
	users, err := app.FindCollectionByNameOrId("users")
	realtest.Must(t, err)
	s.person = core.NewRecord(users)
	s.person.SetEmail("ada@example.com")
	s.person.SetPassword(password)
	s.person.SetVerified(true)
	realtest.Must(t, app.Save(s.person))
	router, err := apis.NewRouter(app)
	realtest.Must(t, err)
	mux, err := router.BuildMux()
	realtest.Must(t, err)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// mapping is the ready-made one, at the server.
func (s *server) mapping(t *testing.T) *signin.Upstream {
	t.Helper()
	return realtest.Mapping(t, "../../../configs/apis/pocketbase.yaml", "pocketbase", s.URL)
}

// status is what the API says to a call that carries the person.
func (s *server) status(t *testing.T, u *signin.Upstream, c *credential.Credential) int {
	t.Helper()
	return realtest.Status(t, s.URL+"/api/collections/users/records/"+s.person.Id, u, c)
}

// TestPocketBase: sign-in, refusals, a token that renews itself, and its end.
func TestPocketBase(t *testing.T) {
	s := start(t)
	u, ctx, now := s.mapping(t), t.Context(), time.Now()
	for _, wrong := range []map[string]credential.Secret{realtest.Fields("email", "ada@example.com", "password", "no"), realtest.Fields("email", "nobody@example.com", "password", password)} {
		if _, err := u.Ways.SignIn(ctx, wrong, mapping.Caller{}, now); realtest.Meaning(err) != "invalid_credentials" {
			t.Errorf("wrong password: %v", err)
		}
	}
	in, err := u.Ways.SignIn(ctx, realtest.Fields("email", "ada@example.com", "password", password), mapping.Caller{}, now)
	realtest.Must(t, err)
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
	realtest.Must(t, err)
	if s.status(t, u, next) != 200 || !u.Renews(next) {
		t.Error("the renewed token does not work")
	}
	s.person.SetPassword("another password") // ends all tokens
	realtest.Must(t, s.app.Save(s.person))
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); realtest.Meaning(err) != mapping.SessionExpired {
		t.Errorf("dead token: %v", err)
	}
	s.Close()
	freeport.Keep(t, s.Listener.Addr()) // or somebody else may listen there
	if _, err := u.Refresh(ctx, next, mapping.Caller{}, now); !errors.Is(err, upstream.ErrUnreachable) {
		t.Errorf("server away: %v", err)
	}
}

// TestPocketBaseSecondFactor: a code by mail, wrong and right.
func TestPocketBaseSecondFactor(t *testing.T) {
	s := start(t)
	users, err := s.app.FindCollectionByNameOrId("users")
	realtest.Must(t, err)
	users.OTP.Enabled, users.MFA.Enabled = true, true
	realtest.Must(t, s.app.Save(users))
	u, ctx, now := s.mapping(t), t.Context(), time.Now()
	in, err := u.Ways.SignIn(ctx, realtest.Fields("email", "ada@example.com", "password", password), mapping.Caller{}, now)
	realtest.Must(t, err)
	if in.Step == nil || in.Step.Name != "mail" {
		t.Fatalf("no step: %+v", in)
	}
	in, err = u.Ways.Continue(ctx, in.Step.Name, in.Step.Kept, realtest.Fields("address", "ada@example.com"), mapping.Caller{}, now)
	realtest.Must(t, err)
	if in.Step == nil || in.Step.Name != "code" {
		t.Fatalf("no second step: %+v", in)
	}
	var code string
	select {
	case mail := <-s.mails:
		code = regexp.MustCompile(`\b[0-9]{8}\b`).FindString(mail)
	case <-time.After(2 * time.Minute):
		t.Fatal("no mail")
	}
	if _, err := u.Ways.Continue(ctx, "code", in.Step.Kept, realtest.Fields("code", "00000000"), mapping.Caller{}, now); realtest.Meaning(err) != mapping.MFARequired {
		t.Errorf("wrong code: %v", err)
	}
	done, err := u.Ways.Continue(ctx, "code", in.Step.Kept, realtest.Fields("code", code), mapping.Caller{}, now)
	realtest.Must(t, err)
	if done.Subject != s.person.Id || s.status(t, u, done.Credential) != 200 {
		t.Errorf("signed in as %q", done.Subject)
	}
}
