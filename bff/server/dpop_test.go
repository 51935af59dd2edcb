package server_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-jose/go-jose/v4"

	"coatcheck/upstream/demo/provider"
)

// strictAPI takes tokens that are bound to a key, each with a proof of its own, and
// nothing else (RFC 9449 §7). It reads proofs with go-jose.
type strictAPI struct {
	web *httptest.Server

	mu     sync.Mutex
	issuer *provider.Provider
	lax    bool // takes bearer tokens
	nonce  string
	deaf   bool            // never content with a nonce
	dead   map[string]bool // tokens that are refused
	proofs map[string]bool // jti of those that came
	asked  []*http.Request
	last   string   // the token that came last
	why    []string // why proofs were refused
}

func openStrictAPI(t *testing.T) *strictAPI {
	t.Helper()
	s := &strictAPI{dead: map[string]bool{}, proofs: map[string]bool{}}
	s.web = httptest.NewServer(s)
	t.Cleanup(s.web.Close)
	return s
}

func (s *strictAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	refused := s.refuses(r)
	s.mu.Lock()
	w.Header().Set("DPoP-Nonce", s.nonce)
	s.mu.Unlock()
	switch {
	case refused != "":
		w.Header().Set("WWW-Authenticate", `Bearer realm="api", DPoP algs="ES256", error="`+refused+`"`)
		w.WriteHeader(http.StatusUnauthorized)
	case r.Header.Get("Upgrade") != "":
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
		if err == nil {
			_ = c.Write(r.Context(), websocket.MessageText, []byte("hello"))
			_ = c.Close(websocket.StatusNormalClosure, "")
		}
	default:
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"order":1}`)
	}
}

// refuses is the error of a request that is not proven; empty: it is.
func (s *strictAPI) refuses(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r)
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	s.last = token
	if scheme == "Bearer" && s.lax {
		return ""
	}
	claims, thumbprint, err := readProof(r)
	grant, alive := s.issuer.Introspect(token)
	switch sum := sha256.Sum256([]byte(token)); {
	case err != nil:
	case scheme != "DPoP" || !alive || s.dead[token]:
		return "invalid_token"
	case grant.Thumbprint == "" || grant.Thumbprint != thumbprint:
		err = fmt.Errorf("another key")
	case claims.Token != base64.RawURLEncoding.EncodeToString(sum[:]):
		err = fmt.Errorf("another token")
	case claims.Method != r.Method || claims.URL != s.web.URL+strings.SplitN(r.RequestURI, "?", 2)[0]:
		err = fmt.Errorf("of another request: %+v", claims)
	case time.Since(time.Unix(claims.Issued, 0)).Abs() > time.Minute:
		err = fmt.Errorf("of another time")
	case claims.ID == "" || s.proofs[claims.ID]:
		err = fmt.Errorf("it came before")
	case s.deaf || s.nonce != "" && claims.Nonce != s.nonce:
		s.proofs[claims.ID] = true
		return "use_dpop_nonce"
	default:
		s.proofs[claims.ID] = true
		return ""
	}
	s.why = append(s.why, err.Error())
	return "invalid_dpop_proof"
}

type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	Issued int64  `json:"iat"`
	Token  string `json:"ath"`
	Nonce  string `json:"nonce"`
}

// readProof verifies the one proof of a request with the key in its own header.
func readProof(r *http.Request) (c proofClaims, thumbprint string, err error) {
	lines := r.Header.Values("DPoP")
	if len(lines) != 1 {
		return c, "", fmt.Errorf("%d proofs", len(lines))
	}
	jws, err := jose.ParseSignedCompact(lines[0], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return c, "", err
	}
	header := jws.Signatures[0].Protected
	if header.JSONWebKey == nil || !header.JSONWebKey.IsPublic() || header.ExtraHeaders["typ"] != "dpop+jwt" {
		return c, "", fmt.Errorf("header %v", header)
	}
	payload, err := jws.Verify(header.JSONWebKey)
	if err != nil {
		return c, "", err
	}
	sum, err := header.JSONWebKey.Thumbprint(crypto.SHA256)
	if err != nil {
		return c, "", err
	}
	return c, base64.RawURLEncoding.EncodeToString(sum), json.Unmarshal(payload, &c)
}

// change changes the API under its lock.
func (s *strictAPI) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// since returns the schemes of the requests since the last time.
func (s *strictAPI) since() (schemes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.asked {
		scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		schemes = append(schemes, scheme)
	}
	s.asked = nil
	return schemes
}

// openBound is a house whose shop signs in at a provider that binds tokens; dpop is what
// the provider's and both upstreams' configuration say.
func openBound(t *testing.T, o provider.Options, setting string, api, other bool) (*atProvider, *strictAPI) {
	t.Helper()
	s := openStrictAPI(t)
	a := openAtProviderOf(t, o, func(yaml string) string {
		yaml = replaced(yaml, "client_id: coatcheck,", "client_id: coatcheck, dpop: "+setting+", ")
		yaml = replaced(yaml, "    url: \"${API}\"\n    login:", fmt.Sprintf("    url: %q\n    dpop: %v\n    login:", s.web.URL, api))
		yaml = replaced(yaml, "upstream: other, rewrite: /}", "upstream: other, rewrite: /, send_token: true}")
		return replaced(yaml, `other: {url: "${API}/other"}`, fmt.Sprintf(`other: {url: %q, dpop: %v}`, s.web.URL+"/base", other))
	})
	s.issuer = a.provider
	return a, s
}

// TestBoundCalls: each call has a proof of its own, also a handshake and one behind a
// renewal; nonces are learned from whatever answer has one, and asked for once.
func TestBoundCalls(t *testing.T) {
	a, s := openBound(t, provider.Options{DPoPNonces: true}, "auto", true, true)
	cookie := a.signInAt("ada@id.test")
	t.Cleanup(func() {
		if len(s.why) > 0 {
			t.Errorf("proofs were refused: %q", s.why)
		}
	})
	expect := func(what string, n int) {
		t.Helper()
		if got := s.since(); len(got) != n || slices.ContainsFunc(got, func(scheme string) bool { return scheme != "DPoP" }) {
			t.Errorf("%s: %q, want %d with bound tokens", what, got, n)
		}
	}
	got := a.call("GET /api/orders/a%2Bb;c=1,'d'?page=7&x=%20", shop, cookie, "DPoP: of-the-page")
	a.want(got, 200, "")
	expect("without a nonce", 1)

	s.change(func() { s.nonce = `n"1\` })
	a.want(a.call("POST /api/orders\n\n{}", shop, xcsrf, json_, cookie), 200, "")
	expect("the first nonce", 2)
	got = a.call("GET /api/orders", shop, cookie)
	a.want(got, 200, "")
	if got.Header.Get("DPoP-Nonce") != "" || got.Header.Get("WWW-Authenticate") != "" {
		t.Errorf("the page sees the nonce: %v", got.Header)
	}
	a.want(a.call("GET /other/things", shop, cookie), 200, "")
	expect("the nonce is known, at the host of either upstream", 2)

	s.change(func() { s.nonce = "n2" })
	large := "POST /api/long/upload\n\n" + strings.Repeat("x", 100<<10)
	got = a.call(large, shop, xcsrf, json_, cookie)
	a.want(got, 503, "upstream_unavailable")
	if got.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %q", got.Header.Get("Retry-After"))
	}
	expect("a body that is gone", 1)
	a.want(a.call(large, shop, xcsrf, json_, cookie), 200, "")
	expect("and again", 1)

	s.change(func() { s.nonce = "n3" })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	set := http.Header{"Origin": {"https://shop.example.com"}, "Cookie": {strings.TrimPrefix(cookie, "Cookie: ")}}
	ws, _, err := websocket.Dial(ctx, "ws://"+a.address+"/api/long/ws", &websocket.DialOptions{Host: "shop.example.com", HTTPHeader: set})
	if err != nil {
		t.Fatalf("%v\n%s", err, a.logs)
	}
	if _, text, err := ws.Read(ctx); err != nil || string(text) != "hello" {
		t.Errorf("%q %v", text, err)
	}
	_ = ws.CloseNow()
	expect("a handshake", 2)

	s.change(func() { s.dead[s.last] = true })
	a.want(a.call("GET /api/orders", shop, cookie), 200, "")
	expect("a dead token, and its successor", 2)
	a.want(a.call("POST /bff/logout", shop, xcsrf, cookie), 200, "")
}

// TestNonceNeverRight: an API that is never content is at fault, and nobody is told that
// they are signed out.
func TestNonceNeverRight(t *testing.T) {
	a, s := openBound(t, provider.Options{}, "required", true, true)
	cookie := a.signInAt("ada@id.test")
	s.change(func() { s.deaf, s.nonce = true, "n" })
	a.want(a.call("GET /api/orders", shop, cookie), 502, "upstream_invalid")
	if got := s.since(); len(got) != 2 {
		t.Errorf("asked %d times", len(got))
	}
}

// TestWhoseTokensAreBound: by the provider's word, the API's, and that of every other
// API that gets the token. A bound token is sent as nothing else, a bearer token as
// nothing else.
func TestWhoseTokensAreBound(t *testing.T) {
	for name, row := range map[string]struct {
		provider   provider.Options
		setting    string
		api, other bool
		scheme     string
	}{
		"auto":                           {provider.Options{}, "auto", true, true, "DPoP"},
		"off":                            {provider.Options{}, "off", true, true, "Bearer"},
		"not announced":                  {provider.Options{NoDPoP: true}, "auto", true, true, "Bearer"},
		"the API does not take it":       {provider.Options{}, "auto", false, true, "Bearer"},
		"another API does not take it":   {provider.Options{}, "auto", true, false, "Bearer"},
		"required, whoever takes it":     {provider.Options{}, "required", true, false, "DPoP"},
		"required, although nobody does": {provider.Options{}, "required", false, false, "DPoP"},
		"nonces of the provider's own":   {provider.Options{DPoPNonces: true}, "required", true, true, "DPoP"},
	} {
		t.Run(name, func(t *testing.T) {
			a, s := openBound(t, row.provider, row.setting, row.api, row.other)
			s.change(func() { s.lax = row.scheme == "Bearer" })
			cookie := a.signInAt("ada@id.test")
			for _, path := range []string{"/api/orders", "/other/things", "/maybe/things"} {
				a.want(a.call("GET "+path, shop, cookie), 200, "")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, r := range s.asked {
				scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
				if proven := r.Header.Get("DPoP") != ""; scheme != row.scheme || proven != (scheme == "DPoP") || len(r.Header.Values("Authorization")) != 1 {
					t.Errorf("%s: %v", r.URL, r.Header)
				}
			}
		})
	}
}
