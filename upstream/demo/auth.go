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
		a.admit(w, r, person)
	}
}

// admit answers with the tokens of a new sign-in.
func (a *api) admit(w http.ResponseWriter, r *http.Request, p Person) {
	t := a.grants.start(p)
	a.grants.note(t.access, "sign-in", r, true)
	answer := grantAnswer(t)
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
		a.grants.note(t.access, "refresh", r, true)
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
		a.grants.note(bearer(r), "call", r, err == nil)
		if err != nil {
			unknownToken(w)
			return
		}
		next(w, r, c)
	}
}

// unknownToken refuses a call whose token is none, or a dead one (RFC 6750 §3).
func unknownToken(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	refuse(w, http.StatusUnauthorized, "invalid_token")
}

// endElsewhere has the person's sessions ended by those who keep them. This very
// call is answered all the same.
func (a *api) endElsewhere(w http.ResponseWriter, r *http.Request, c caller) {
	if err := a.revoke(r.Context(), c.person); err != nil {
		refuse(w, http.StatusBadGateway, "not_revoked")
		return
	}
	w.WriteHeader(http.StatusNoContent)
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
