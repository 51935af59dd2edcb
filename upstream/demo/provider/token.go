package provider

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"time"
)

const (
	exchangeGrant   = "urn:ietf:params:oauth:grant-type:token-exchange"
	accessTokenType = "urn:ietf:params:oauth:token-type:access_token"
)

// grant is what a code, an access token or a refresh token stands for.
type grant struct {
	client, subject, session, scope, nonce string
	challenge, redirect, acr               string
	authTime                               time.Time
	family                                 string // refresh tokens that follow one another
	thumbprint                             string // of the key that the tokens are bound to
	audience                               string
	used                                   bool      // a refresh token that was replaced
	ends                                   time.Time // of an access token
}

// token is the token endpoint.
func (p tokens) token(w http.ResponseWriter, r *http.Request) {
	c, ok := p.authenticated(w, r)
	if !ok || p.misbehave(w, r) {
		return
	}
	thumbprint, ok := p.bound(w, r, "")
	if !ok {
		return
	}
	switch r.PostForm.Get("grant_type") {
	case "authorization_code":
		p.redeem(w, r, c, thumbprint)
	case "refresh_token":
		p.renew(w, r, c, thumbprint)
	case exchangeGrant:
		p.exchange(w, r, c, thumbprint)
	default:
		refuse(w, http.StatusBadRequest, "unsupported_grant_type", "")
	}
}

// misbehave answers for the sins of the token endpoint.
func (p tokens) misbehave(w http.ResponseWriter, r *http.Request) bool {
	refreshes := r.PostForm.Get("grant_type") == "refresh_token"
	switch p.first(TokenGarbage, TokenHTML, TokenForm, TokenError500, TokenError200, TokenErrorText, TokenRedirect, TokenHuge, RefreshThrottled, RefreshGrant503, RefreshInteraction) {
	case TokenGarbage:
		_, _ = w.Write([]byte(`{"access_token":`))
	case TokenHTML:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>Down</title>`))
	case TokenForm:
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = w.Write([]byte(`access_token=a&token_type=bearer`))
	case TokenError500:
		w.WriteHeader(http.StatusInternalServerError)
	case TokenError200:
		refuse(w, http.StatusOK, "bad_verification_code", "The code passed is incorrect or expired.")
	case TokenErrorText:
		refuse(w, http.StatusBadRequest, "invalid_grant", hostile)
	case TokenRedirect:
		http.Redirect(w, r, p.at("/token?again"), http.StatusTemporaryRedirect)
	case TokenHuge:
		_, _ = w.Write([]byte(`{"access_token":"a","padding":"` + strings.Repeat("x", 600<<10) + `"}`))
	case RefreshThrottled:
		if !refreshes {
			return false
		}
		refuse(w, http.StatusTooManyRequests, "slow_down", "")
	case RefreshGrant503, RefreshInteraction:
		if !refreshes {
			return false
		}
		p.refuseRefresh(w)
	default:
		return false
	}
	return true
}

func (p tokens) refuseRefresh(w http.ResponseWriter) {
	if p.has(RefreshGrant503) {
		refuse(w, http.StatusServiceUnavailable, "invalid_grant", "")
		return
	}
	refuse(w, http.StatusBadRequest, "interaction_required", "")
}

// redeem takes a code. One that comes twice ends what came of it (RFC 6749 §4.1.2).
func (p tokens) redeem(w http.ResponseWriter, r *http.Request, c *Client, thumbprint string) {
	code := r.PostForm.Get("code")
	p.mu.Lock()
	g, known := p.codes.get(code, p.now())
	if known && g.used {
		p.families[g.family] = true
	}
	replayed := g.used
	g.used = true
	if known {
		p.codes.put(code, g, p.now(), codeLife)
	}
	p.mu.Unlock()
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	switch {
	case !known || replayed || g.client != c.ID || g.redirect != r.PostForm.Get("redirect_uri"):
		refuse(w, http.StatusBadRequest, "invalid_grant", "")
	case encode(verifier[:]) != g.challenge:
		refuse(w, http.StatusBadRequest, "invalid_grant", "code_verifier does not fit")
	default:
		g.used, g.thumbprint = false, thumbprint
		p.answer(w, c, g, true)
	}
}

// renew takes a refresh token, once: one that comes again was copied by somebody, so
// its whole family ends (RFC 9700 §4.14.2).
func (p tokens) renew(w http.ResponseWriter, r *http.Request, c *Client, thumbprint string) {
	name := r.PostForm.Get("refresh_token")
	p.mu.Lock()
	g, known := p.refresh.get(name, p.now())
	ended := p.families[g.family]
	if known && g.used {
		p.families[g.family] = true
	}
	dead := !known || g.used || ended || g.client != c.ID || g.thumbprint != thumbprint
	if !dead && !p.sins[RefreshNoRotation] {
		spent := g
		spent.used = true
		p.refresh.put(name, spent, p.now(), refreshLife)
	}
	p.mu.Unlock()
	if dead {
		refuse(w, http.StatusBadRequest, "invalid_grant", "")
		return
	}
	p.answer(w, c, g, false)
}

// exchange gives a token for another API (RFC 8693).
func (p tokens) exchange(w http.ResponseWriter, r *http.Request, c *Client, thumbprint string) {
	g, ok := p.Introspect(r.PostForm.Get("subject_token"))
	audience := r.PostForm.Get("audience") + r.PostForm.Get("resource")
	switch {
	case r.PostForm.Get("subject_token_type") != accessTokenType || audience == "":
		refuse(w, http.StatusBadRequest, "invalid_request", "")
	case !ok || g.Client != c.ID:
		refuse(w, http.StatusBadRequest, "invalid_grant", "")
	case p.has(ExchangeRefused):
		refuse(w, http.StatusBadRequest, "invalid_target", "the target is not for this person")
	default:
		token := random()
		next := grant{client: c.ID, subject: g.Subject, session: g.Session, scope: r.PostForm.Get("scope"), audience: audience, thumbprint: thumbprint}
		p.mu.Lock()
		p.access.put(token, next, p.now(), p.options.AccessLife)
		p.mu.Unlock()
		writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "issued_token_type": accessTokenType, "token_type": kind(thumbprint),
			"expires_in": int(p.options.AccessLife / time.Second)})
	}
}

func kind(thumbprint string) string {
	if thumbprint != "" {
		return "DPoP"
	}
	return "Bearer"
}

// answer gives tokens for g. first: for a code, not for a refresh token.
func (p tokens) answer(w http.ResponseWriter, c *Client, g grant, first bool) {
	access, refresh := random()+"."+random(), random()
	g.ends = p.now().Add(p.options.AccessLife)
	p.note(g.session, map[bool]string{true: "token", false: "refresh"}[first], access)
	if p.has(RotatedJustBefore) && first {
		_ = p.Rotate()
	}
	p.mu.Lock()
	p.access.put(access, g, p.now(), p.options.AccessLife)
	p.refresh.put(refresh, g, p.now(), refreshLife)
	p.mu.Unlock()
	doc := map[string]any{"access_token": access, "refresh_token": refresh, "token_type": kind(g.thumbprint),
		"expires_in": int(p.options.AccessLife / time.Second), "scope": g.scope}
	if strings.Contains(" "+g.scope+" ", " openid ") {
		doc["id_token"] = p.idToken(c, g, access, first)
	}
	p.spoil(doc, first)
	writeJSON(w, http.StatusOK, doc)
}

// spoil puts the sins of the moment into a token response.
func (p tokens) spoil(doc map[string]any, first bool) {
	for sin, change := range map[Sin]func(){
		MissingIDToken:    func() { delete(doc, "id_token") },
		GarbageIDToken:    func() { doc["id_token"] = "a.b.c" },
		TokenTypeOther:    func() { doc["token_type"] = "mac" },
		TokenUnbound:      func() { doc["token_type"] = "Bearer" },
		TokenBoundUnasked: func() { doc["token_type"] = "DPoP" },
		IDTokenUnasked:    func() { doc["id_token"] = "not.verified.byanybody" },
		TokenMissing:      func() { delete(doc, "access_token") },
		TokenUnsendable:   func() { doc["access_token"] = "a\r\nb" },
		TokenNoExpiry:     func() { delete(doc, "expires_in") },
		TokenInCapitals:   func() { doc["Access_Token"], doc["TOKEN_TYPE"] = "another", "mac" },
		TokenTextExpiry:   func() { doc["expires_in"] = "300" },
		TokenAbsurdExpiry: func() { doc["expires_in"] = 1e18 },
	} {
		if p.has(sin) {
			change()
		}
	}
	if first {
		return
	}
	if p.has(RefreshNoIDToken) {
		delete(doc, "id_token")
	}
	if p.has(RefreshNoRotation) {
		delete(doc, "refresh_token")
	}
	if p.has(RefreshUnbound) {
		doc["token_type"] = "Bearer"
	}
}

// Grant is what an access token stands for, as an API that asks the provider learns it.
type Grant struct {
	Subject, Client, Session, Scope, Audience string
	// Thumbprint is of the key that the token is bound to (RFC 9449 §6); empty: bearer.
	Thumbprint string
	// Ends is when the token dies by itself; zero: not known.
	Ends time.Time
}

// Introspect returns what an access token stands for; false where it is dead.
func (p tokens) Introspect(token string) (Grant, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g, known := p.access.get(token, p.now())
	if !known || p.families[g.family] && g.family != "" {
		return Grant{}, false
	}
	return Grant{Subject: g.subject, Client: g.client, Session: g.session, Scope: g.scope, Audience: g.audience, Thumbprint: g.thumbprint, Ends: g.ends}, true
}

// revoke ends a token and its family (RFC 7009). It says 200 whatever came.
func (p tokens) revoke(w http.ResponseWriter, r *http.Request) {
	c, ok := p.authenticated(w, r)
	if !ok {
		return
	}
	if p.has(RevocationError) {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	name := r.PostForm.Get("token")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range []*table[grant]{&p.access, &p.refresh} {
		if g, known := t.get(name, p.now()); known && g.client == c.ID {
			t.drop(name)
			if g.family != "" {
				p.families[g.family] = true
			}
		}
	}
	if len(p.families) > maxEntries {
		clear(p.families)
	}
}
