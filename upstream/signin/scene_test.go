package signin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// scene is one fixture, with a stand-in for every upstream that its API names.
type scene struct {
	t      *testing.T
	f      fixture
	up     *signin.Upstream
	hosts  map[string]*standIn // by the host of the real API
	config *configs.Upstream
}

func newScene(t *testing.T, f fixture, cfg map[string]*configs.Upstream) *scene {
	s := &scene{t: t, f: f, hosts: map[string]*standIn{}}
	answers := []reply{s.answer(f)}
	if more, ok := f["more"].([]any); ok {
		for _, a := range more {
			answers = append(answers, s.answer(a.(map[string]any)))
		}
	}
	// What the API says of the person, where it is asked for.
	answers = append(answers, reply{status: 200, body: `{"id":"u5","pk":"u5","email":"ada@x.test","data":{"id":"u5"}}`})
	for name, c := range cfg {
		base := c.URL
		api := newStandIn(t, answers...)
		s.hosts[base] = api
		path := strings.TrimPrefix(base, "https://")
		_, path, _ = strings.Cut(path, "/")
		api.at(c).URL += "/" + path
		if name == f.text("api") {
			s.config = c
			s.hosts[""] = api
		}
	}
	s.up = newSet(t, cfg).Get(f.text("api"))
	return s
}

func (s *scene) answer(f fixture) reply {
	status, _ := strconv.Atoi(f.text("get"))
	r := reply{status: status, header: map[string]string{}}
	for name, value := range f.table("headers") {
		r.header[name] = fmt.Sprint(value)
	}
	switch body := f["body"].(type) {
	case nil:
	case string:
		r.body = body
	default:
		text, err := json.Marshal(inflate(body))
		if err != nil {
			s.t.Fatal(err)
		}
		r.body = string(text)
	}
	return r
}

func (s *scene) values(key string) map[string]credential.Secret {
	m := map[string]credential.Secret{}
	for name, value := range s.f.table(key) {
		m[name] = credential.NewSecret(fmt.Sprint(value))
	}
	return m
}

func (s *scene) play() {
	ctx, then := context.Background(), s.f.text("then")
	switch s.f.text("do") {
	case "login":
		fields := s.values("with")
		if len(fields) == 0 {
			fields = secrets("email", "ada@x.test", "username", "ada", "password", "pw")
		}
		in, err := s.up.Ways.SignIn(ctx, fields, browser(), now)
		s.signedIn(in, err, then)
	case "continue":
		in, err := s.up.Ways.Continue(ctx, s.f.text("step"), s.values("kept"), s.values("with"), browser(), now)
		s.signedIn(in, err, then)
	case "refresh":
		s.refresh(ctx, then)
	case "logout":
		if err := s.up.SignOut(ctx, credential.New(s.values("has"), time.Time{}, time.Time{}), browser()); err != nil {
			s.t.Fatal(err)
		}
	case "verify":
		alive, err := s.up.Verify(ctx, credential.New(s.values("has"), time.Time{}, time.Time{}), browser())
		got := map[bool]string{true: "alive", false: "dead"}[alive]
		if err != nil {
			got = "unknown"
		}
		if got != then {
			s.t.Fatalf("got %s (%v), want %s", got, err, then)
		}
	default:
		s.t.Fatal("fixture does nothing")
	}
	s.asked()
}

func (s *scene) signedIn(in *signin.SignedIn, err error, then string) {
	s.t.Helper()
	if got := fate(in, err); got != then {
		s.t.Fatalf("got %s (%v), want %s", got, err, then)
	}
	switch then {
	case "step":
		var fields []any
		for _, name := range in.Step.Fields {
			fields = append(fields, name)
		}
		want, kept := s.f.text("step"), "kept"
		if s.f.has("next") { // from one step to another
			want, kept = s.f.text("next"), "keeps"
		}
		if in.Step.Name != want || !reflect.DeepEqual(fields, s.f["fields"]) {
			s.t.Fatalf("step %q with %q", in.Step.Name, in.Step.Fields)
		}
		s.compare(kept, in.Step.Kept)
	case "signed_in":
		if s.f.has("subject") && in.Subject != s.f.text("subject") {
			s.t.Errorf("subject %q, want %q", in.Subject, s.f.text("subject"))
		}
		s.checkCredential(in.Credential)
	}
	var refusal *mapping.Refusal
	if errors.As(err, &refusal) && s.f.has("fields") && fmt.Sprint(refusal.Fields) != fmt.Sprint(s.f["fields"]) {
		s.t.Errorf("fields %q", refusal.Fields)
	}
}

// fate names the outcome of a sign-in.
func fate(in *signin.SignedIn, err error) string {
	var refusal *mapping.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Meaning
	case errors.Is(err, upstream.ErrInvalid):
		return "upstream_invalid"
	case errors.Is(err, upstream.ErrUnreachable):
		return "upstream_unreachable"
	case errors.Is(err, upstream.ErrTimeout):
		return "upstream_timeout"
	case err != nil:
		return "error"
	case in.Step != nil:
		return "step"
	}
	return "signed_in"
}

func (s *scene) refresh(ctx context.Context, then string) {
	old := s.values("has")
	old[credential.AccessToken] = credential.NewSecret("old")
	next, err := s.up.Refresh(ctx, credential.New(old, now, time.Time{}), browser(), now)
	var refusal *mapping.Refusal
	got := "refreshed"
	switch {
	case errors.As(err, &refusal) && refusal.Meaning == mapping.SessionExpired:
		got = "ended"
	case err != nil:
		got = "kept"
	}
	if got != then {
		s.t.Fatalf("got %s (%v), want %s", got, err, then)
	}
	if err == nil {
		s.checkCredential(next)
	}
}

func (s *scene) checkCredential(c *credential.Credential) {
	s.t.Helper()
	if s.f.has("expires") {
		seconds, _ := strconv.Atoi(s.f.text("expires"))
		if left := c.Expires.Sub(now); left != time.Duration(seconds)*time.Second {
			s.t.Errorf("expires in %v, want %d s", left, seconds)
		}
	}
	s.compare("values", c.Values())
	got := sends(s.up, c)
	for name, value := range s.f.table("sends") {
		if got[name] != value {
			s.t.Errorf("sends %s: %q, want %q", name, got[name], value)
		}
	}
}

// compare tests that every value the fixture lists under key is there.
func (s *scene) compare(key string, got map[string]credential.Secret) {
	s.t.Helper()
	for name, want := range s.f.table(key) {
		if got[name].Reveal() != inflate(want) {
			s.t.Errorf("%s is %q, want %q", name, got[name].Reveal(), want)
		}
	}
}

// asked tests what went out.
func (s *scene) asked() {
	s.t.Helper()
	for i, key := range []string{"ask", "then_ask"} {
		if want := s.f.text(key); want != "" {
			s.checkQuestion(i, want)
		}
	}
	all := s.hosts[""].questions()
	if want := s.f.text("user_ask"); want != "" {
		last := all[len(all)-1]
		if got := last.method + " " + last.uri; got != want {
			s.t.Errorf("user asked by %q, want %q", got, want)
		}
		for name, value := range s.f.table("sends") {
			if last.header.Get(name) != value {
				s.t.Errorf("user asked with %s: %q", name, last.header.Get(name))
			}
		}
	}
}

func (s *scene) checkQuestion(i int, want string) {
	s.t.Helper()
	host := ""
	method, target, _ := strings.Cut(want, " ")
	if strings.HasPrefix(target, "https://") {
		for _, base := range slices.Sorted(maps.Keys(s.hosts)) {
			if rest, ok := strings.CutPrefix(target, base); ok && base != "" {
				host, target = base, rest
			}
		}
	}
	all := s.hosts[host].questions()
	if len(all) <= i {
		s.t.Fatalf("%q was not asked", want)
	}
	q := all[i]
	if q.method != method || q.uri != target {
		s.t.Errorf("asked %s %s, want %s", q.method, q.uri, want)
	}
	for name, value := range s.f.table("ask_headers") {
		if q.header.Get(name) != value {
			s.t.Errorf("asked with %s: %q, want %q", name, q.header.Get(name), value)
		}
	}
	prefix := strings.TrimSuffix([]string{"ask", "then_ask"}[i], "ask")
	if s.f.has(prefix+"json") && !reflect.DeepEqual(q.asJSON(s.t), jsonLike(s.f[prefix+"json"])) {
		s.t.Errorf("asked %s, want %v", q.body, s.f[prefix+"json"])
	}
	if s.f.has(prefix+"form") && !reflect.DeepEqual(q.asForm(s.t), s.f[prefix+"form"]) {
		s.t.Errorf("asked %s, want %v", q.body, s.f[prefix+"form"])
	}
	if got := q.header.Get("Accept"); got != "application/json" {
		s.t.Errorf("Accept: %q", got)
	}
	if got := q.header.Get("X-Forwarded-For"); got != "203.0.113.9" {
		s.t.Errorf("X-Forwarded-For: %q", got)
	}
}
