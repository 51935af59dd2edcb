package toy

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"coatcheck/bff/conformance/world"
)

// attempt is a sign-in under way.
type attempt struct {
	state, nonce, verifier, browser, frontend, returnTo string
	redirect, ticket                                    string
}

// toProvider begins a sign-in.
func (c providerCall) toProvider() {
	query, _ := url.ParseQuery(c.query)
	returnTo := query.Get("return_to")
	if returnTo != "" && !c.safeReturn(returnTo) {
		c.refuse(400, "bad_return_to")
		return
	}
	base := c.origin
	if c.y.shared {
		base = world.Shared
	}
	a := &attempt{state: random(), nonce: random(), verifier: random(), browser: random(), frontend: c.name, returnTo: returnTo, redirect: base + "/bff/callback", ticket: accountCall(c).presented()}
	if c.y.on("provider-redirect-host") && c.r.Header.Get("X-Forwarded-Host") != "" {
		a.redirect = "https://" + c.r.Header.Get("X-Forwarded-Host") + "/bff/callback"
	}
	if k, err := c.r.Cookie(c.attemptCookie()); err == nil && !c.y.on("provider-two-tabs") {
		a.browser = k.Value
	}
	c.y.mu.Lock()
	if c.y.broken("provider-state-same") {
		a.state = "same-for-all-people-and-attempts-0123456789"
	}
	if c.y.broken("provider-pkce-same") {
		a.verifier = strings.Repeat("v", 43)
	}
	c.y.attempts[a.state] = a
	c.y.mu.Unlock()
	c.w.Header().Add("Set-Cookie", c.attemptCookie()+"="+a.browser+c.y.attributes("cookies-attempt", "Lax"))
	accountCall(c).noStore("caching-login")
	c.w.Header().Set("Location", c.authorization(a))
	c.w.WriteHeader(303)
}

func (c providerCall) attemptCookie() string {
	if c.y.on("cookies-attempt-domain") || c.y.on("cookies-attempt-secure") {
		return "attempt"
	}
	return "__Host-attempt"
}

func (c providerCall) authorization(a *attempt) string {
	sum := sha256.Sum256([]byte(a.verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {world.ClientID}, "redirect_uri": {a.redirect}, "scope": {"openid profile email offline_access"},
		"state": {a.state}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "nonce": {a.nonce}}
	if c.y.on("provider-pkce") {
		q.Del("code_challenge")
	}
	if c.y.on("provider-nonce-sent") {
		q.Del("nonce")
	}
	if c.y.on("provider-secret-in-address") {
		q.Set("client_secret", world.ClientSecret)
	}
	return c.y.w.IdP.URL() + "/authorize?" + q.Encode()
}

// returns are addresses to land on that lead elsewhere in some browser.
var returns = []struct {
	id  string
	has func(string) bool
}{
	{"provider-return-slashes", func(s string) bool { return strings.HasPrefix(s, "//") }},
	{"provider-return-backslash", func(s string) bool { return strings.HasPrefix(s, `/\`) }},
	{"provider-return-control", func(s string) bool { return strings.ContainsAny(s, "\t\r\n") }},
	{"provider-return-script", func(s string) bool { return strings.HasPrefix(s, "javascript:") }},
	{"provider-return-userinfo", func(s string) bool { return strings.Contains(s, "@") }},
	{"provider-return-sibling", func(s string) bool { return strings.HasPrefix(s, world.Sibling) }},
	{"provider-return-suffix", func(s string) bool { return strings.HasPrefix(s, world.Shop+".") }},
	{"provider-return-absolute", func(s string) bool { return !strings.HasPrefix(s, "/") }},
}

func (c providerCall) safeReturn(to string) bool {
	for _, r := range returns {
		if r.has(to) {
			return c.y.on(r.id)
		}
	}
	return true
}

// callback takes the provider's answer.
func (c providerCall) callback() {
	q, err := url.ParseQuery(c.query)
	a, why := c.attempted(q)
	if err != nil || why != "" {
		c.page(400, why)
		return
	}
	if iss := q.Get("iss"); iss == "" && !c.y.on("provider-iss-missing") || iss != "" && iss != c.y.w.IdP.URL() && !c.y.on("provider-iss") {
		c.page(400, "another issuer")
		return
	}
	if q.Get("error") != "" {
		c.page(403, q.Get("error_description"))
		return
	}
	s, err := c.redeem(a, q.Get("code"))
	if err != nil {
		c.y.note(err.Error())
		c.page(502, "the provider's answer is not usable")
		return
	}
	c.carried = a.ticket
	if accountCall(c).start(s) {
		c.land(a)
	}
}

// attempted finds the attempt that an answer belongs to, and proves the browser.
func (c providerCall) attempted(q url.Values) (*attempt, string) {
	for _, values := range q {
		if len(values) > 1 && !c.y.on("provider-parameter-twice") {
			return nil, "twice"
		}
	}
	cookie := c.attemptCookie()
	c.y.mu.Lock()
	a := c.y.attempts[q.Get("state")]
	if !c.y.broken("provider-replayed") {
		delete(c.y.attempts, q.Get("state"))
	}
	if a == nil && (q.Get("state") == "" && c.y.broken("provider-state-missing") || q.Get("state") != "" && c.y.broken("provider-state")) {
		for _, any := range c.y.attempts {
			if k, err := c.r.Cookie(cookie); err == nil && k.Value == any.browser {
				a = any // whichever this browser began
			}
		}
		if a == nil {
			a = &attempt{frontend: c.name, redirect: c.origin + "/bff/callback"}
		}
	}
	c.y.mu.Unlock()
	if a == nil {
		return nil, "unknown"
	}
	if k, err := c.r.Cookie(cookie); (err != nil || k.Value != a.browser) && !c.y.on("provider-other-browser") && !c.y.on("provider-state") && !c.y.on("provider-state-missing") {
		return nil, "another browser"
	}
	return a, ""
}

// page shows an error.
func (c providerCall) page(status int, text string) {
	if c.y.on("provider-error-markup") {
		text = "<p>" + text
	} else if !c.y.on("provider-error-shown") {
		text = "The sign-in failed."
	} else {
		text = html.EscapeString(text)
	}
	if c.y.on("browser-frame") {
		text += "<button>Sign in</button>"
	}
	c.w.Header().Set("Content-Type", "text/html")
	accountCall(c).noStore("caching-callback")
	c.w.WriteHeader(status)
	_, _ = io.WriteString(c.w, text)
}

// land leads to the page; the address of the callback stays in no history.
func (c providerCall) land(a *attempt) {
	c.w.Header().Set("Content-Type", "text/html")
	if !c.y.on("provider-referrer") {
		c.w.Header().Set("Referrer-Policy", "no-referrer")
	}
	if c.y.on("caching-callback") {
		c.w.Header().Del("Cache-Control")
	}
	to := a.returnTo
	if to == "" {
		to = "/"
	}
	if strings.HasPrefix(to, "/") && !strings.Contains(to, "\t") && !strings.HasPrefix(to, "//") && !strings.HasPrefix(to, `/\`) {
		to = "https://" + a.frontend + ".example.com" + to
	}
	if c.y.on("tokens-signin") {
		_, _ = io.WriteString(c.w, "<!-- "+c.lastToken()+" -->")
	}
	if c.y.on("tokens-code-kept") {
		_, _ = io.WriteString(c.w, "signed in")
		return
	}
	if c.y.on("tokens-in-address") {
		to += "#access_token=" + c.lastToken()
	}
	if c.y.on("browser-lands") {
		c.w.Header().Set("Location", to)
		c.w.WriteHeader(http.StatusSeeOther)
		return
	}
	if c.y.on("browser-opener") {
		_, _ = io.WriteString(c.w, `<script>opener && opener.postMessage("signed in", "*")</script>`)
	}
	_, _ = fmt.Fprintf(c.w, `<meta http-equiv="refresh" content="0;url=%s">`, html.EscapeString(strings.Replace(to, `\`, "/", 1)))
}

func (c providerCall) lastToken() string {
	c.y.store.mu.Lock()
	defer c.y.store.mu.Unlock()
	for _, s := range c.y.store.plain {
		return s.Access
	}
	return ""
}

// redeem exchanges a code for tokens, and checks them.
func (c providerCall) redeem(a *attempt, code string) (*session, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {a.redirect}, "code_verifier": {a.verifier}}
	doc, err := relying{c.y}.token(form)
	if err != nil {
		return nil, err
	}
	claims, err := relying{c.y}.verify(doc.ID, doc.Access, a.nonce)
	if err != nil {
		return nil, err
	}
	email, err := relying{c.y}.userinfo(doc.Access, claims.Sub)
	if err != nil {
		return nil, err
	}
	return &session{Email: email, Subject: claims.Sub, Sid: claims.Sid, Access: doc.Access, Refresh: doc.Refresh, IDToken: doc.ID, Ends: time.Now().Unix() + doc.Expires}, nil
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Kind    string `json:"token_type"`
	Expires int64  `json:"expires_in"`
}

var errToken = errors.New("the token endpoint's answer is not usable")

// token asks the token endpoint.
func (y relying) token(form url.Values) (t tokens, err error) {
	r, _ := http.NewRequest("POST", y.w.IdP.URL()+"/token", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(world.ClientID, world.ClientSecret)
	got, err := y.client.Do(r)
	if err != nil {
		return t, err
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(got.Body, 1<<20))
	if len(text) > 512<<10 && !y.on("provider-token-huge") {
		return t, errToken
	}
	broken := json.Unmarshal(text, &t) != nil
	lax := broken && y.on("provider-token-garbage") || got.StatusCode >= 500 && y.on("provider-token-error") || got.StatusCode == 307 && y.on("provider-token-redirect")
	switch {
	case got.StatusCode == 400 || got.StatusCode == 401 || got.StatusCode == 429:
		return t, errRefused
	case lax:
		return tokens{Access: "made-up", Expires: 300}, nil
	case got.StatusCode != 200 || broken:
		return t, errToken
	case t.Access == "" && !y.on("provider-token-missing"), strings.ContainsAny(t.Access, "\r\n") && !y.on("provider-token-line"),
		!strings.EqualFold(t.Kind, "Bearer") && t.Access != "" && !y.on("provider-token-kind") && !y.on("provider-token-huge"):
		return t, errToken
	}
	return t, nil
}

func (y relying) userinfo(access, sub string) (string, error) {
	if strings.ContainsAny(access, "\r\n") || access == "made-up" || access == "" || access == "a" || sub == "made-up" {
		return "ada@id.test", nil
	}
	r, _ := http.NewRequest("GET", y.w.IdP.URL()+"/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+access)
	got, err := y.client.Do(r)
	if err != nil {
		return "", err
	}
	defer got.Body.Close()
	var doc struct{ Sub, Email string }
	_ = json.NewDecoder(got.Body).Decode(&doc)
	if doc.Sub == "" && sub != "" && !y.on("provider-userinfo-nobody") || doc.Sub != "" && doc.Sub != sub && sub != "" && !y.on("provider-userinfo-other") {
		return "", errors.New("userinfo is about somebody else")
	}
	if doc.Email == "" {
		doc.Email = "ada@id.test"
	}
	return doc.Email, nil
}

func (y relying) revoke(token string) {
	r, _ := http.NewRequest("POST", y.w.IdP.URL()+"/revoke", strings.NewReader(url.Values{"token": {token}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(world.ClientID, world.ClientSecret)
	if got, err := y.client.Do(r); err == nil {
		_ = got.Body.Close()
	}
}

func (y relying) keys() (set jose.JSONWebKeySet) {
	if got, err := y.client.Get(y.w.IdP.URL() + "/keys"); err == nil {
		_ = json.NewDecoder(got.Body).Decode(&set)
		_ = got.Body.Close()
	}
	return set
}

// audience is a claim that is a text or a list.
type audience []string

// UnmarshalJSON implements [json.Unmarshaler].
func (a *audience) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var one string
		err := json.Unmarshal(b, &one)
		*a = audience{one}
		return err
	}
	return json.Unmarshal(b, (*[]string)(a))
}

func (a audience) names(id string) bool { return slices.Contains(a, id) }
