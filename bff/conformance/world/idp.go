package world

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"coatcheck/upstream/demo/provider"
)

// ClientID and ClientSecret are those of every subject.
const (
	ClientID     = "conformance"
	ClientSecret = "client-secret-MARKED-0123456789abcdef"
)

// IdP is the provider; its sins come from the package that it is made of.
type IdP struct {
	*provider.Provider
	world *World
	web   *httptest.Server

	mu        sync.Mutex
	life      int
	authorize []url.Values
	tokens    []url.Values
	renewal   http.HandlerFunc
	revoked   []string
	ended     int
	other     Other
	bare      bool
	ahead     time.Duration
	sids      map[string]string // e-mail → the newest session at the provider
}

// Other makes the provider look like one of another kind.
type Other struct {
	// Paths are further paths with those that they mean.
	Paths map[string]string
	// Change alters what the token endpoint says.
	Change func(doc map[string]any, who Person)
	// NoPKCE: it asks for no PKCE, and takes a client that proves itself in two ways.
	NoPKCE bool
}

// StartIdP starts the provider, with the redirect URIs of a subject.
func (w *World) StartIdP(redirects, postLogout []string) error {
	p := &IdP{world: w, sids: map[string]string{}}
	p.web = httptest.NewUnstartedServer(p)
	issuer := "http://" + p.web.Listener.Addr().String()
	var err error
	p.Provider, err = provider.New(provider.Options{Issuer: issuer, NoPAR: true, NoDPoP: true, Now: p.now,
		Clients: []provider.Client{{ID: ClientID, Secret: ClientSecret, RedirectURIs: redirects, PostLogout: postLogout}},
		People: []provider.Person{{Subject: Ada.Subject, Email: Ada.Email, Password: Ada.Password, Name: "Ada", Claims: map[string]any{"email_verified": true}},
			{Subject: Bob.Subject, Email: Bob.Email, Password: Bob.Password, Name: "Bob", Claims: map[string]any{"email_verified": true}}}})
	if err != nil {
		return err
	}
	p.web.Start()
	w.IdP = p
	w.OnEnd(func() { Shut(p.web) })
	w.issue(ClientSecret, "client secret", "")
	return nil
}

// Reshape makes the provider look like another one, before anybody calls it.
func (p *IdP) Reshape(other Other) { p.other = other }

// URL is the issuer.
func (p *IdP) URL() string { return p.web.URL }

// ServeHTTP implements [http.Handler]: the provider, watched.
func (p *IdP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if own := p.other.Paths[r.URL.Path]; own != "" {
		r.URL.Path = own
	}
	switch r.URL.Path {
	case "/authorize":
		p.mu.Lock()
		p.authorize = append(p.authorize, r.URL.Query())
		p.mu.Unlock()
		p.lenient(r)
	case "/token":
		p.token(w, r)
		return
	case "/revoke", "/end_session":
		p.leaving(r)
	}
	p.Provider.ServeHTTP(w, r)
}

func (p *IdP) leaving(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	p.mu.Lock()
	defer p.mu.Unlock()
	if token := form.Get("token"); token != "" {
		p.revoked = append(p.revoked, token)
	}
	if r.URL.Path == "/end_session" {
		p.ended++
	}
}

// token lets the provider answer, and remembers what it gave.
func (p *IdP) token(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	p.mu.Lock()
	p.tokens = append(p.tokens, form)
	life, renewal := p.life, p.renewal
	p.mu.Unlock()
	p.lenientForm(r, maps.Clone(form))
	if renewal != nil && form.Get("grant_type") == "refresh_token" {
		renewal(w, r)
		return
	}
	p.usual(w, r, form, life)
}

func (p *IdP) now() time.Time { p.mu.Lock(); defer p.mu.Unlock(); return time.Now().Add(p.ahead) }

// Ahead puts the provider's clock forward.
func (p *IdP) Ahead(by time.Duration) { p.mu.Lock(); defer p.mu.Unlock(); p.ahead = by }

// Bare implements [Renewals].
func (p *IdP) Bare(on bool) { p.mu.Lock(); defer p.mu.Unlock(); p.bare = on }

// Renew answers a renewal as usual: for those who answer otherwise in part.
func (p *IdP) Renew(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	p.mu.Lock()
	life := p.life
	p.mu.Unlock()
	p.usual(w, r, form, life)
}

func (p *IdP) usual(w http.ResponseWriter, r *http.Request, form url.Values, life int) {
	got := httptest.NewRecorder()
	p.Provider.ServeHTTP(got, r)
	text := got.Body.Bytes()
	doc := map[string]any{}
	if got.Code == http.StatusOK && json.Unmarshal(text, &doc) == nil {
		who := p.owner(doc, form.Get("refresh_token"))
		_, told := doc["expires_in"].(float64)
		if told && life > 0 {
			doc["expires_in"] = life
		}
		p.mu.Lock()
		bare := p.bare
		p.mu.Unlock()
		if bare {
			delete(doc, "refresh_token")
		}
		if p.other.Change != nil {
			p.other.Change(doc, who)
		}
		if p.other.Change != nil || bare || told && life > 0 {
			text, _ = json.Marshal(doc)
		}
		p.remember(doc, who.Email)
	}
	maps.Copy(w.Header(), got.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(got.Code)
	_, _ = w.Write(text)
}

// owner is whose tokens an answer brings, and the refresh token that asked for them.
func (p *IdP) owner(doc map[string]any, by string) (owner Person) {
	token, _ := doc["id_token"].(string)
	for _, who := range []Person{Ada, Bob} {
		if claimsOf(token).Sub == who.Subject {
			return who
		}
		if p.world.Owner(by) == who.Email {
			owner = who
		}
	}
	return owner
}

func (p *IdP) remember(doc map[string]any, owner string) {
	word := func(name string) string { s, _ := doc[name].(string); return s }
	if sid := claimsOf(word("id_token")).Sid; sid != "" {
		p.mu.Lock()
		p.sids[owner] = sid
		p.mu.Unlock()
	}
	p.world.issue(word("access_token"), "access token", owner)
	p.world.issue(word("refresh_token"), "refresh token", owner)
	p.world.issue(word("id_token"), "ID token", owner)
}

// Life sets how long access tokens last by what the provider says, in seconds; 0: as it does.
func (p *IdP) Life(seconds int) { p.mu.Lock(); defer p.mu.Unlock(); p.life = seconds }

// SayRenewal answers renewals otherwise; nil: as usual.
func (p *IdP) SayRenewal(f http.HandlerFunc) { p.mu.Lock(); defer p.mu.Unlock(); p.renewal = f }

// Sid is a person's newest session at the provider, as ID tokens name it.
func (p *IdP) Sid(who Person) string { p.mu.Lock(); defer p.mu.Unlock(); return p.sids[who.Email] }

// Authorize are the queries that came to the authorization endpoint.
func (p *IdP) Authorize() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.authorize...)
}

// Tokens are the forms that came to the token endpoint.
func (p *IdP) Tokens() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]url.Values(nil), p.tokens...)
}

// Revoked are the tokens that were revoked, and Ended how many sign-outs came.
func (p *IdP) Revoked() (tokens []string, ended int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.revoked...), p.ended
}
