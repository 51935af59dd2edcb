package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// logoutEvent names the event of a logout token.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// endSession ends the browser's session here, tells every client of it, and sends the
// browser back where that address is registered (RP-Initiated Logout 1.0).
func (p signOuts) endSession(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		p.page(w, http.StatusBadRequest, sheet{Title: "This link is broken", Text: "The request cannot be read."})
		return
	}
	c := p.registered(r.Form.Get("client_id"))
	subject, session, audience := p.hint(r.Form.Get("id_token_hint"))
	if c == nil {
		c = p.registered(audience)
	}
	if s, known := p.sessionOf(r); known && (subject == "" || subject == s.subject) {
		session = s.id
	}
	if session != "" {
		_ = p.EndSession(r.Context(), session) // who is not reached hears of it when a token is used
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: p.base + "/", MaxAge: -1, HttpOnly: true, Secure: p.isHTTPS(), SameSite: http.SameSiteLaxMode})
	to := r.Form.Get("post_logout_redirect_uri")
	if c == nil || !slices.Contains(c.PostLogout, to) {
		p.page(w, http.StatusOK, sheet{Title: "Signed out", Text: "You are signed out here, and at every application that this session was used for."})
		return
	}
	if state := r.Form.Get("state"); state != "" {
		separator := map[bool]string{true: "&", false: "?"}[strings.Contains(to, "?")]
		to += separator + url.Values{"state": {state}}.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// hint reads an ID token of ours, expired or not.
func (p signOuts) hint(token string) (subject, session, audience string) {
	p.mu.Lock()
	keys := []any{p.ring.rsa.Public().Key, p.ring.ec.Public().Key, p.ring.ed.Public().Key}
	p.mu.Unlock()
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA})
	if err != nil {
		return "", "", ""
	}
	for _, key := range keys {
		payload, err := jws.Verify(key)
		var claims struct{ Sub, Sid, Aud string }
		if err == nil && json.Unmarshal(payload, &claims) == nil {
			return claims.Sub, claims.Sid, claims.Aud
		}
	}
	return "", "", ""
}

// Sessions are the ids of the sessions that run here.
func (p *Provider) Sessions() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.sessions.entries))
}

// EndSession ends a session: its tokens are dead, and every client of it with a
// back-channel address is notified. The error says which ones were not reached.
func (p signOuts) EndSession(ctx context.Context, id string) error {
	p.mu.Lock()
	s, known := p.sessions.get(id, p.now())
	p.sessions.drop(id)
	p.events.drop(id)
	for _, t := range []*table[grant]{&p.access, &p.refresh, &p.codes} {
		maps.DeleteFunc(t.entries, func(_ string, e entry[grant]) bool { return e.value.session == id })
	}
	p.mu.Unlock()
	if !known {
		return nil
	}
	var failed []error
	for _, name := range s.clients {
		if c := p.registered(name); c != nil && c.BackChannel != "" {
			failed = append(failed, p.tell(ctx, c, p.LogoutToken(c.ID, s.subject, s.id, "logout+jwt", nil)))
		}
	}
	return errors.Join(failed...)
}

// LogoutToken makes a logout token for a client (Back-Channel Logout 1.0 §2.4). change,
// if set, may falsify its claims; so may the sins of the moment its signature.
func (p signOuts) LogoutToken(client, subject, session, typ string, change func(map[string]any)) string {
	now := p.now()
	claims := map[string]any{"iss": p.options.Issuer, "aud": client, "iat": now.Unix(), "exp": now.Add(idTokenLife).Unix(), "jti": random(),
		"events": map[string]any{logoutEvent: map[string]any{}}}
	if subject != "" {
		claims["sub"] = subject
	}
	if session != "" {
		claims["sid"] = session
	}
	if change != nil {
		change(claims)
	}
	c := p.registered(client)
	if c == nil {
		c = &Client{}
	}
	return p.sign(claims, typ, c)
}

// tell posts a logout token to a client (§2.5).
func (p signOuts) tell(ctx context.Context, c *Client, token string) error {
	ctx = context.WithoutCancel(ctx)
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.BackChannel, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // nothing was written
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("provider: client %s answered a logout token with %d", c.ID, answer.StatusCode)
	}
	return nil
}
