package demo

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func (a *api) login(w http.ResponseWriter, r *http.Request) {
	var in struct{ Email, Password string }
	if !readJSON(w, r, &in) {
		return
	}
	person, ok := match(a.people, in.Email, in.Password)
	switch {
	case !ok:
		refuse(w, http.StatusUnauthorized, "invalid_credentials")
	case person.Locked:
		refuse(w, http.StatusForbidden, "account_locked")
	case person.SecondFactor && a.door != nil:
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "mfa_required", "mfa_token": a.door.hold(person)})
	default:
		a.admit(w, person)
	}
}

// admit answers with the tokens of a new sign-in.
func (a *api) admit(w http.ResponseWriter, p Person) {
	answer := grantAnswer(a.grants.start(p))
	answer["user"] = p.profile()
	writeJSON(w, http.StatusOK, answer)
}

func (a *api) refresh(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	t, err := a.grants.renew(in.RefreshToken)
	switch {
	case errors.Is(err, errReusedToken):
		writeJSON(w, http.StatusUnauthorized, map[string]any{
			"error": "invalid_grant", "error_description": "this refresh token was used before; its family is revoked"})
	case err != nil:
		refuse(w, http.StatusUnauthorized, "invalid_grant")
	default:
		writeJSON(w, http.StatusOK, grantAnswer(t))
	}
}

// logout ends the grant of the refresh token in the body, or else of the bearer
// token, as APIs differ in which of the two they want.
func (a *api) logout(w http.ResponseWriter, r *http.Request) {
	var in struct {
		RefreshToken string `json:"refresh_token"`
	}
	if r.ContentLength != 0 && !readJSON(w, r, &in) {
		return
	}
	a.grants.end(in.RefreshToken)
	a.grants.end(bearer(r))
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) expire(w http.ResponseWriter, _ *http.Request, c caller) {
	if wait := a.grants.expire(c.token); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
		refuse(w, http.StatusTooManyRequests, "a_moment_ago")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// signedIn lets a call through that carries a live access token.
func (a *api) signedIn(next func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := a.grants.caller(bearer(r))
		if err != nil {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750 §3
			refuse(w, http.StatusUnauthorized, "invalid_token")
			return
		}
		next(w, r, c)
	}
}

// bearer returns the token of the Authorization header (RFC 6750 §2.1), or "".
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

func grantAnswer(t tokens) map[string]any {
	return map[string]any{
		"access_token": t.access, "refresh_token": t.refresh,
		"token_type": "Bearer", "expires_in": t.expiresIn,
	}
}
