package demo

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/command"
)

// playing is a demo that runs until the test ends, and what it printed.
func playing(t *testing.T, o Options) (*stage, string) {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	world := &command.Program{Getenv: func(string) (string, bool) { return "", false }, Stdout: io.Discard, Stderr: io.Discard}
	s, err := setStage(world, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.play(ctx, o, func() { close(begun) }) }() // ends with ctx
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	<-begun
	return s, "http://programs.coatcheck.localhost:" + s.port
}

// burglarOf is the attacker's computer of a demo.
func burglarOf(s *stage) *burglar {
	return &burglar{client: callerOf(s.public.Addr()), port: s.port, porter: s.porter, prey: s.programs, log: s.log, desk: desk{s.operators.Addr().String(), s.config.Admin.Token}}
}

// TestBurglar: everything that the attacker's computer tries is tried for real, and
// refused, with the code that its tile shows.
func TestBurglar(t *testing.T) {
	s, _ := playing(t, Options{Store: "memory://"})
	b := burglarOf(s)
	for name, want := range map[string]string{"replayed-callback": "200, but no ticket", "stolen-code": "400 invalid_grant", "ticket-and-key": "400 two_credentials",
		"replayed-event": "200 duplicate", "changed-event": "401 signature_invalid", "revoked-key": "401 caller_unknown"} {
		if found, ok := b.try(t.Context(), name); !ok || !found.Refused || found.Code != want {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if _, ok := b.try(t.Context(), "something else"); ok {
		t.Error("it tries what it does not know")
	}
}

// TestBurglarsGoodPapers: what is refused for one reason would work without it, so that
// the refusals mean something.
func TestBurglarsGoodPapers(t *testing.T) {
	s, door := playing(t, Options{Store: "memory://"})
	b := burglarOf(s)
	key, _ := b.try(t.Context(), "page-key")
	if got := s.programs.read(t.Context(), key.Key); got.Status != 200 || !strings.HasPrefix(got.Limit, `"caller";r=9`) || key.Address != door+"/v1/orders" {
		t.Errorf("%+v %+v", key, got)
	}
	if got := s.programs.ring(t.Context()); got.Status != 204 {
		t.Errorf("%+v", got)
	}
	mine, _ := b.try(t.Context(), "my-callback")
	// A browser in which nothing began.
	answer, _, err := goTo(t.Context(), b.client, mine.Address)
	if err != nil || answer.StatusCode != 400 || answer.Header.Get("Coatcheck-Error") != "login_elsewhere" || len(answer.Cookies()) > 0 {
		t.Errorf("%+v %v %v", mine, answer, err)
	}
	// Mallory's own, straight on: the sign-in itself is sound.
	me := b.somebody()
	address, err := b.wayBack(t.Context(), me, mallory)
	if err != nil {
		t.Fatal(err)
	}
	if answer, _, err = goTo(t.Context(), me, address); err != nil || answer.StatusCode != 200 || len(answer.Cookies()) == 0 {
		t.Errorf("%v %v", answer, err)
	}
}

// TestProgramsRun: what the page can set going, and what its limit does.
func TestProgramsRun(t *testing.T) {
	s, _ := playing(t, Options{Store: "memory://"})
	got, ok := s.programs.Run(t.Context(), "hurry")
	through, refused := 0, 0
	for _, o := range got {
		switch {
		case o.Status == http.StatusOK:
			through++
		case o.Status == http.StatusTooManyRequests && o.Code == "too_many_requests":
			refused++
		}
	}
	// A slow machine gives some calls back meanwhile.
	if !ok || through < 10 || through+refused != many {
		t.Errorf("%d through, %d refused: %+v", through, refused, got)
	}
	if _, ok := s.programs.Run(t.Context(), "anything"); ok {
		t.Error("it runs what it does not know")
	}
}

// TestStores: the demo works with every kind of store; keys that are made at run time
// need one that keeps them.
func TestStores(t *testing.T) {
	s, _ := playing(t, Options{Store: "file://" + t.TempDir() + "/sessions"})
	b := burglarOf(s)
	for name, want := range map[string]string{"revoked-key": "not tried", "replayed-event": "200 duplicate", "ticket-and-key": "400 two_credentials"} {
		if found, _ := b.try(t.Context(), name); found.Code != want || !found.Refused {
			t.Errorf("%s: %+v", name, found)
		}
	}
}

// TestStandInHasNoPrograms: a demo that stands in for another API has everybody sign in
// by form, and neither programs nor a provider.
func TestStandInHasNoPrograms(t *testing.T) {
	s, door := playing(t, Options{Store: "memory://", API: "drf_token"})
	client := callerOf(s.public.Addr())
	login := `{"email":"radia@admin.example","password":"spanning-tree"}`
	answer, err := ask(t.Context(), client, "POST", strings.Replace(door, "programs", "admin", 1)+"/bff/login", []byte(login), "Content-Type", "application/json", "X-CSRF", "1")
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("%v %v", answer, err)
	}
	if answer, err = ask(t.Context(), client, "GET", door+"/v1/orders", nil); err != nil || answer.StatusCode != 404 && answer.StatusCode != 421 {
		t.Errorf("%v %v", answer, err)
	}
	if _, ok := burglarOf(s).try(t.Context(), "replayed-event"); ok {
		t.Error("the attacker robs programs that are not there")
	}
}

// TestPhoneSigns: an event as Standard Webhooks has it.
func TestPhoneSigns(t *testing.T) {
	p := phone{[]byte("a secret of 24 bytes !!!")}
	if p.text() != "whsec_YSBzZWNyZXQgb2YgMjQgYnl0ZXMgISEh" {
		t.Error(p.text())
	}
	at := time.Unix(1700000000, 0)
	one, other := p.sign(at, "+1"), p.sign(at, "+1")
	if one.at != "1700000000" || one.id == other.id || one.signature == other.signature || !strings.HasPrefix(one.signature, "v1,") {
		t.Errorf("%+v %+v", one, other)
	}
}
