package serviceaccount_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	"coatcheck/bff/serviceaccount"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/storetest"
	"coatcheck/configs/configtest"
	"coatcheck/configs/read"
	"coatcheck/upstream/signin"
)

const config = `
sessions: {store: "memory://", keys: ["QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: request, path: /nobody}
    refresh: {request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}}
    accounts:
      person: {fields: {email: robot@example.com, password: "${PASSWORD}"}}
      client: {login: {request: {path: /token, encoding: form, basic: [id, "${PASSWORD}"], body: {grant_type: client_credentials}}, credential: {access_token: /access_token, expires_in: /expires_in}}}
callers: {a: {keys: [], account: person}, b: {keys: [], account: client}}
frontends:
  door: {host: programs.example.com, routes: [{path: /, upstream: api, session: none, callers: [a, b]}]}
`

// api gives tokens; the test says how it answers. Counts are by path.
type api struct {
	*httptest.Server
	mu      sync.Mutex
	count   map[string]int
	status  map[string]int // by path; 0: a token
	expires string
}

func newAPI(t testing.TB) *api {
	a := &api{count: map[string]int{}, status: map[string]int{}, expires: `,"expires_in":3600`}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count[r.URL.Path]++
	n := a.count["/login"] + a.count["/token"] + a.count["/refresh"]
	switch status := a.status[r.URL.Path]; status {
	case 0:
		fmt.Fprintf(w, `{"access_token":"acc-MARKED-%d","refresh_token":"ref-MARKED-%d"%s}`, n, n, a.expires)
	case http.StatusBadRequest:
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
	default:
		w.Header().Set("Retry-After", "400")
		w.WriteHeader(status)
	}
}

// calls is how often a path was asked.
func (a *api) calls(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count[path]
}

func (a *api) say(path string, status int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status[path] = status
}

func (a *api) lasts(seconds int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.expires = fmt.Sprintf(`,"expires_in":%d`, seconds)
}

// accounts are those of the configuration, by name.
func accounts(t testing.TB, a *api, password string) func(string) *signin.Account {
	t.Helper()
	values := map[string]string{"API": a.URL, "PASSWORD": password}
	c, faults := read.Text("coatcheck.yaml", []byte(config), func(name string) (string, bool) { v, ok := values[name]; return v, ok }, nil)
	if c == nil {
		t.Fatal(faults)
	}
	configtest.Patient(c)
	set, err := signin.New(c.Upstreams, signin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(set.Close)
	return set.Get("api").Account
}

// keeper is one replica's.
func keeper(t testing.TB, p *storetest.Place, log *storetest.Log) *serviceaccount.Keeper {
	t.Helper()
	st := p.Open()
	o := session.Options{Keys: []credential.Secret{credential.NewSecret("a-key-of-the-tests-0123456789abcdef")}, NearCache: time.Second, Log: log.Logger()}
	if p.Clock != nil {
		o.Now = p.Clock.Now
	} else {
		st = storetest.LongLeases{Store: st}
	}
	k := serviceaccount.NewKeeper(serviceaccount.Options{Store: st, Session: o, Log: log.Logger()})
	t.Cleanup(func() { _ = k.Close(); _ = st.Close() })
	return k
}

func text(t *serviceaccount.Token) string {
	if t == nil {
		return ""
	}
	return t.Credential.Value(credential.AccessToken).Reveal()
}

// TestOneSignIn: however many calls need an account at once, at however many replicas,
// it signs in once, and all have the same token.
func TestOneSignIn(t *testing.T) {
	for _, name := range []string{"person", "client"} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, p *storetest.Place) {
				a := newAPI(t)
				var log storetest.Log
				replicas := []*serviceaccount.Keeper{keeper(t, p, &log), keeper(t, p, &log), keeper(t, p, &log)}
				one := accounts(t, a, "pw-MARKED")(name)
				var work sync.WaitGroup
				for i := range 300 {
					work.Go(func() {
						got, err := replicas[i%3].Token(context.Background(), one)
						for errors.Is(err, store.ErrUnavailable) { // a busy machine
							got, err = replicas[i%3].Token(context.Background(), one)
						}
						if err != nil || text(got) != "acc-MARKED-1" {
							t.Errorf("%q %v", text(got), err)
						}
					})
				}
				work.Wait()
				if n := a.calls("/login") + a.calls("/token"); n != 1 {
					t.Errorf("%d sign-ins", n)
				}
				if a.calls("/nobody") != 0 {
					t.Error("an account was asked who it is")
				}
				if strings.Contains(log.String(), "MARKED") {
					t.Errorf("the log has a secret: %s", log.String())
				}
			})
		})
	}
}

// TestRenewal: a token that is about to end is renewed, by refresh where there is one and
// by another sign-in elsewhere, or where the refresh token is dead.
func TestRenewal(t *testing.T) {
	for _, row := range []struct {
		name, path string
		refresh    int
	}{{"person", "/refresh", 0}, {"person", "/login", 400}, {"client", "/token", 0}} {
		t.Run(row.name+row.path, func(t *testing.T) {
			p, a := storetest.Memory(t), newAPI(t)
			k, one := keeper(t, p, new(storetest.Log)), accounts(t, a, "pw")(row.name)
			if _, err := k.Token(context.Background(), one); err != nil {
				t.Fatal(err)
			}
			a.say("/refresh", row.refresh)
			before := a.calls(row.path)
			p.Clock.Advance(time.Hour - 31*time.Second)
			if got, err := k.Token(context.Background(), one); err != nil || text(got) != "acc-MARKED-1" {
				t.Errorf("too early: %q %v", text(got), err)
			}
			p.Clock.Advance(2 * time.Second)
			got, err := k.Token(context.Background(), one)
			if err != nil || text(got) == "acc-MARKED-1" || a.calls(row.path) != before+1 {
				t.Errorf("%q %v, %d calls", text(got), err, a.calls(row.path))
			}
		})
	}
}

// TestShortTokens: of a token that lasts seconds a quarter of the time is left at its
// renewal, so that not every call renews it.
func TestShortTokens(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	a.lasts(8)
	k, one := keeper(t, p, new(storetest.Log)), accounts(t, a, "pw")("client")
	for _, step := range []struct {
		after time.Duration
		calls int
	}{{0, 1}, {5 * time.Second, 1}, {2 * time.Second, 2}, {0, 2}} {
		p.Clock.Advance(step.after)
		if _, err := k.Token(context.Background(), one); err != nil || a.calls("/token") != step.calls {
			t.Errorf("%v: %d sign-ins, want %d", err, a.calls("/token"), step.calls)
		}
	}
}

// TestRefused: an account that the API refuses is asked for later and later, nine times
// in ten minutes at most by the fleet, and calls are told when. Once the API lets it in
// everything is well.
func TestRefused(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	var log storetest.Log
	replicas := []*serviceaccount.Keeper{keeper(t, p, &log), keeper(t, p, &log), keeper(t, p, &log)}
	one := accounts(t, a, "wrong-MARKED")("client")
	a.say("/token", 401)
	for range 600 {
		for _, k := range replicas {
			_, err := k.Token(context.Background(), one)
			var away serviceaccount.UnavailableError
			if !errors.As(err, &away) || away.RetryAfter <= 0 || away.RetryAfter > 5*time.Minute {
				t.Fatalf("%v, again in %v", err, away.RetryAfter)
			}
			if k.Up()["api/client"] {
				t.Fatal("up")
			}
		}
		p.Clock.Advance(time.Second)
	}
	if n := a.calls("/token"); n > 9 || n < 7 {
		t.Errorf("%d tries in ten minutes", n)
	}
	if !strings.Contains(log.String(), `"outcome":"refused"`) || strings.Contains(log.String(), "MARKED") {
		t.Errorf("log: %s", log.String())
	}
	a.say("/token", 0)
	p.Clock.Advance(5 * time.Minute)
	for _, k := range replicas {
		p.Clock.Advance(2 * time.Second) // what a replica knows of the refusal may be a second old
		if got, err := k.Token(context.Background(), one); err != nil || text(got) == "" || !k.Up()["api/client"] {
			t.Errorf("let in again: %v", err)
		}
	}
}

// TestAnotherPassword: a changed configuration signs in at once, whatever became of the
// old one.
func TestAnotherPassword(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	k := keeper(t, p, new(storetest.Log))
	a.say("/login", 401)
	if _, err := k.Token(context.Background(), accounts(t, a, "old")("person")); err == nil {
		t.Fatal("let in")
	}
	a.say("/login", 0)
	first, err := k.Token(context.Background(), accounts(t, a, "new")("person"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Token(context.Background(), accounts(t, a, "new")("person"))
	if err != nil || text(first) != text(again) {
		t.Errorf("the same configuration, read again: %v", err)
	}
}

// TestAsksToWait: an API that says when to come again is not asked before.
func TestAsksToWait(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	a.say("/token", 429)
	k, one := keeper(t, p, new(storetest.Log)), accounts(t, a, "pw")("client")
	for _, step := range []struct {
		after time.Duration
		calls int
	}{{0, 1}, {399 * time.Second, 1}, {2 * time.Second, 2}} {
		p.Clock.Advance(step.after)
		if _, err := k.Token(context.Background(), one); err == nil || a.calls("/token") != step.calls {
			t.Errorf("%v: %d tries, want %d", err, a.calls("/token"), step.calls)
		}
	}
}

// TestUnreachable: an API that does not answer is no refusal: the old token is used while
// it lasts, then calls are refused, and the API is asked again after a second.
func TestUnreachable(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	k, one := keeper(t, p, new(storetest.Log)), accounts(t, a, "pw")("client")
	if _, err := k.Token(context.Background(), one); err != nil {
		t.Fatal(err)
	}
	a.Close()
	freeport.Keep(t, a.Listener.Addr())
	p.Clock.Advance(time.Hour - 10*time.Second)
	if got, err := k.Token(context.Background(), one); err != nil || text(got) != "acc-MARKED-1" {
		t.Errorf("while it lasts: %q %v", text(got), err)
	}
	p.Clock.Advance(20 * time.Second)
	var away serviceaccount.UnavailableError
	if _, err := k.Token(context.Background(), one); !errors.As(err, &away) || away.RetryAfter > 2*time.Second {
		t.Errorf("later: %v", err)
	}
}

// TestUnauthorized: the API's 401 renews the token once a minute, for all replicas.
func TestUnauthorized(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	replicas := []*serviceaccount.Keeper{keeper(t, p, new(storetest.Log)), keeper(t, p, new(storetest.Log))}
	one := accounts(t, a, "pw")("client")
	first, err := replicas[0].Token(context.Background(), one)
	if err != nil {
		t.Fatal(err)
	}
	second, err := replicas[0].Renew(context.Background(), one, first)
	if err != nil || text(second) == "" || text(second) == text(first) {
		t.Fatalf("%q %v", text(second), err)
	}
	if got, err := replicas[1].Renew(context.Background(), one, first); err != nil || text(got) != text(second) {
		t.Errorf("a call that was under way with the old token: %q %v", text(got), err)
	}
	for _, k := range replicas {
		if got, err := k.Renew(context.Background(), one, second); err != nil || got != nil {
			t.Errorf("within a minute: %q %v", text(got), err)
		}
	}
	p.Clock.Advance(time.Minute + time.Second)
	a.say("/token", 401)
	var away serviceaccount.UnavailableError
	if _, err := replicas[1].Renew(context.Background(), one, second); !errors.As(err, &away) {
		t.Errorf("refused as well: %v", err)
	}
	if _, err := replicas[1].Token(context.Background(), one); !errors.As(err, &away) {
		t.Errorf("the refused token is used again: %v", err)
	}
	if n := a.calls("/token"); n != 3 {
		t.Errorf("%d sign-ins, want 3", n)
	}
}

// away is a store that can be away.
type away struct {
	store.Store
	mu   sync.Mutex
	gone bool
}

func (s *away) Load(ctx context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, errors.New("away")
	}
	return s.Store.Load(ctx, key)
}

// TestStoreAway: while the store is away the token that this process knows is used.
func TestStoreAway(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	inner := &away{Store: p.Open()}
	k := serviceaccount.NewKeeper(serviceaccount.Options{Store: inner, Session: session.Options{Now: p.Clock.Now, Keys: []credential.Secret{credential.NewSecret("a-key-of-the-tests-0123456789abcdef")}}})
	t.Cleanup(func() { _ = k.Close() })
	one := accounts(t, a, "pw")
	if _, err := k.Token(context.Background(), one("client")); err != nil {
		t.Fatal(err)
	}
	inner.mu.Lock()
	inner.gone = true
	inner.mu.Unlock()
	if got, err := k.Token(context.Background(), one("client")); err != nil || text(got) != "acc-MARKED-1" {
		t.Errorf("%q %v", text(got), err)
	}
	if _, err := k.Token(context.Background(), one("person")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("one that was not needed before: %v", err)
	}
}

// TestKeysRoll: with the same keys in another order, and with one more, a replica finds
// the record that is there.
func TestKeysRoll(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	one := accounts(t, a, "pw")("client")
	first, second := credential.NewSecret("a-key-of-the-tests-0123456789abcdef"), credential.NewSecret("b-key-of-the-tests-0123456789abcdef")
	for _, keys := range [][]credential.Secret{{first, second}, {second, first}} {
		k := serviceaccount.NewKeeper(serviceaccount.Options{Store: p.Open(), Session: session.Options{Now: p.Clock.Now, Keys: keys}})
		if got, err := k.Token(context.Background(), one); err != nil || text(got) != "acc-MARKED-1" {
			t.Errorf("%q %v", text(got), err)
		}
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestKeysOfAnAccountThatWasNeededMeanwhile: keys that were made ready before an account
// was needed, and are taken into use after, count: the old ones may have been withdrawn.
func TestKeysOfAnAccountThatWasNeededMeanwhile(t *testing.T) {
	p, a := storetest.Memory(t), newAPI(t)
	one := accounts(t, a, "pw")("client")
	with := func(key string) session.Options {
		return session.Options{Now: p.Clock.Now, Keys: []credential.Secret{credential.NewSecret(key)}}
	}
	k := serviceaccount.NewKeeper(serviceaccount.Options{Store: p.Open(), Session: with("a-key-of-the-tests-0123456789abcdef")})
	use, err := k.Prepare(with("b-key-of-the-tests-0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"acc-MARKED-1", "acc-MARKED-2"} { // the other keys open another record
		if got, err := k.Token(context.Background(), one); err != nil || text(got) != want {
			t.Errorf("%q %v, want %s", text(got), err, want)
		}
		use()
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
