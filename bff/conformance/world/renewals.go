package world

import "net/http"

// Renewals is whoever renews this subject's tokens: the API of a form, or the provider.
type Renewals interface {
	Life(seconds int)
	// Bare makes it give no refresh tokens from now on.
	Bare(on bool)
	SayRenewal(f http.HandlerFunc)
	Renew(w http.ResponseWriter, r *http.Request)
	// Renewed are the refresh tokens that came, in order.
	Renewed() []string
}

// Renewed implements [Renewals].
func (a *API) Renewed() (found []string) {
	for _, c := range a.Calls("auth/refresh") {
		found = append(found, c.Body)
	}
	return found
}

// Renewed implements [Renewals].
func (p *IdP) Renewed() (found []string) {
	for _, form := range p.Tokens() {
		if form.Get("grant_type") == "refresh_token" {
			found = append(found, form.Get("refresh_token"))
		}
	}
	return found
}
