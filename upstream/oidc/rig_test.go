package oidc_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/freeport"
	rigs "coatcheck/bff/rig"
	"coatcheck/configs"
	"coatcheck/upstream/demo/provider"
	"coatcheck/upstream/oidc"
)

const (
	clientID     = "shop"
	clientSecret = "MARKED-client-secret/with?signs+and spaces"
	redirectURI  = "https://shop.example.com/bff/callback/test"
	nonce        = "the-nonce-of-this-attempt"
	verifier     = "MARKED-verifier-43-characters-long-or-more-0"
)

// clock is a time that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// asked is one request that the provider got.
type asked struct {
	method, path string
	form         url.Values
	header       http.Header
}

// rig is a client, the faulty provider, and a browser between them.
type rig struct {
	t       *testing.T
	clock   *clock
	config  *configs.Provider
	options *provider.Options
	idp     *provider.Provider
	server  *httptest.Server
	client  *oidc.Provider
	log     *rigs.Buffer // a fetch that goes on writes it while a test reads

	mu   sync.Mutex
	seen []asked
}

var shared = sync.OnceValues(provider.NewKeys)

func keys(t *testing.T) *provider.Keys {
	t.Helper()
	k, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newRig starts a provider; change may say more before it starts.
func newRig(t *testing.T, change func(*configs.Provider, *provider.Options)) *rig {
	t.Helper()
	r := &rig{t: t, clock: &clock{now: time.Now()}, log: &rigs.Buffer{}}
	r.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.idp.ServeHTTP(w, q) }))
	issuer := "http://" + r.server.Listener.Addr().String()
	r.config = &configs.Provider{Issuer: issuer, ProviderClient: configs.ProviderClient{ClientID: clientID, ClientSecret: credential.NewSecret(clientSecret), ClientAuth: "auto"},
		Scopes: []string{"openid", "email", "profile"}, PAR: "off", DPoP: "auto", ProviderClaims: configs.ProviderClaims{Nonce: "on"}, ProviderSignOut: configs.ProviderSignOut{Logout: "provider"}, ProviderConnection: configs.ProviderConnection{Timeout: 2 * time.Minute, ConnectTimeout: time.Minute}}
	r.options = &provider.Options{Issuer: issuer, Keys: keys(t), Now: r.clock.Now, Record: r.record,
		Clients: []provider.Client{{ID: clientID, Secret: clientSecret, RedirectURIs: []string{redirectURI}, PostLogout: []string{"https://shop.example.com/"}}},
		People:  []provider.Person{{Subject: "p-1", Email: "ada@shop.example", Password: "pw", Name: "Ada", Claims: map[string]any{"hd": "example.com", "tenant": int64(9007199254740993), "groups": []string{"staff", "ops"}}}}}
	if change != nil {
		change(r.config, r.options)
	}
	var err error
	if r.idp, err = provider.New(*r.options); err != nil {
		t.Fatal(err)
	}
	r.server.Start()
	t.Cleanup(r.server.Close)
	r.client = r.newClient()
	return r
}

// goAway ends the provider's server. Nobody else gets its port.
func (r *rig) goAway() {
	r.t.Helper()
	r.server.Close()
	freeport.Keep(r.t, r.server.Listener.Addr())
}

// newClient makes a client that knows nothing yet.
func (r *rig) newClient() *oidc.Provider {
	r.t.Helper()
	p, err := oidc.New("test", r.config, oidc.Options{Now: r.clock.Now, Log: slog.New(slog.NewJSONHandler(r.log, nil))})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(p.Close)
	return p
}

func (r *rig) record(q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	q.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, asked{q.Method, q.URL.Path, form, q.Header.Clone()})
}

// requests are those that the provider got at path.
func (r *rig) requests(path string) []asked {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []asked
	for _, a := range r.seen {
		if a.path == path {
			list = append(list, a)
		}
	}
	return list
}

func (r *rig) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = nil
}

// request is what a sign-in asks for.
func request() oidc.Request {
	return oidc.Request{RedirectURI: redirectURI, State: "shop.state", Nonce: nonce, Verifier: credential.NewSecret(verifier)}
}

var handle = regexp.MustCompile(`name="request" value="([^"]+)"`)

// browse goes to address, signs in there as Ada, and returns what comes back to the client.
func (r *rig) browse(address string) url.Values {
	r.t.Helper()
	jar, _ := cookiejar.New(nil)
	b := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	page := r.must(b.Get(address))
	found := handle.FindStringSubmatch(page.body)
	if page.header.Get("Location") == "" && found == nil {
		r.t.Fatalf("no sign-in page: %d %s", page.status, page.body)
	}
	if found != nil {
		page = r.must(b.PostForm(r.options.Issuer+"/signin", url.Values{"request": {found[1]}, "email": {"ada@shop.example"}, "password": {"pw"}}))
	}
	back, err := url.Parse(page.header.Get("Location"))
	if err != nil || !strings.HasPrefix(back.String(), redirectURI+"?") {
		r.t.Fatalf("not sent back: %d %q %s", page.status, back, page.body)
	}
	return back.Query()
}

type page struct {
	status int
	header http.Header
	body   string
}

func (r *rig) must(answer *http.Response, err error) page {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return page{answer.StatusCode, answer.Header, string(body)}
}

// signIn runs the whole flow. ask and with may change both of its ends.
func (r *rig) signIn(ask func(*oidc.Request), with func(*oidc.Code)) (*oidc.Result, error) {
	r.t.Helper()
	ctx := context.Background()
	q := request()
	if ask != nil {
		ask(&q)
	}
	address, err := r.client.Authorize(ctx, q)
	if err != nil {
		return nil, err
	}
	back := r.browse(address)
	if err := r.client.CheckCallback(ctx, oidc.Callback{Issuer: back.Get("iss"), Error: back.Get("error"), Description: back.Get("error_description")}); err != nil {
		return nil, err
	}
	c := oidc.Code{Code: credential.NewSecret(back.Get("code")), Verifier: q.Verifier, Nonce: q.Nonce, RedirectURI: q.RedirectURI, ACR: q.ACR, MaxAge: q.MaxAge}
	if with != nil {
		with(&c)
	}
	return r.client.Redeem(ctx, c)
}

// mustSignIn is signIn where it must go well.
func (r *rig) mustSignIn(ask func(*oidc.Request), with func(*oidc.Code)) *oidc.Result {
	r.t.Helper()
	result, err := r.signIn(ask, with)
	if err != nil {
		r.t.Fatal(err)
	}
	return result
}
