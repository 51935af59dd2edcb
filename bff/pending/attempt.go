package pending

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"coatcheck/bff/credential"
)

// MaxRestarts is how often an attempt may begin anew by itself.
const MaxRestarts = 1

// ID names an attempt, so that it can be used once.
type ID [16]byte

// String is the id as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Attempt is a sign-in under way at a provider.
type Attempt struct {
	// Frontend, Provider and RedirectURI say where it belongs. They are not in the box
	// but bound to it.
	Frontend, Provider, RedirectURI string

	// ID names the attempt, Began is its start by the store's clock.
	ID    ID
	Began time.Time
	// Restarts counts how often it began anew by itself.
	Restarts int
	// ReturnTo is the address of the page that is shown afterwards, whole.
	ReturnTo string
	// Prompt, ACR and MaxAge are what was asked of the provider; nil: no bound on age.
	Prompt string
	ACR    []string
	MaxAge *time.Duration
	// LoginHint and UILocales are hints for the provider's page. They are left out of a
	// state that they would make too long.
	LoginHint, UILocales string
	// Session is the store's handle of the session that ran when it began.
	Session string

	browser [sha256.Size]byte // hash of the browser's secret
}

// Begin begins an attempt in browser b. The caller fills in what is asked.
func Begin(frontend, provider, redirectURI string, b Browser, now time.Time) Attempt {
	a := Attempt{Frontend: frontend, Provider: provider, RedirectURI: redirectURI, Began: now, browser: b.hash()}
	_, _ = rand.Read(a.ID[:]) // never fails: crypto/rand ends the process instead
	return a
}

// Restart begins the attempt anew, for the browser that came back, with the same page
// to return to; false where it has been begun anew already. In another browser the
// session that ran in the first one is left alone: it is somebody else's.
func (a Attempt) Restart(b Browser, now time.Time) (Attempt, bool) {
	if a.Restarts >= MaxRestarts {
		return Attempt{}, false
	}
	next := Begin(a.Frontend, a.Provider, a.RedirectURI, b, now)
	next.Restarts, next.ReturnTo = a.Restarts+1, a.ReturnTo
	if a.BelongsTo(b) {
		next.Session = a.Session
	}
	next.Prompt, next.ACR, next.MaxAge = a.Prompt, a.ACR, a.MaxAge
	next.LoginHint, next.UILocales = a.LoginHint, a.UILocales
	return next, true
}

// BelongsTo reports whether the attempt began in browser b.
func (a Attempt) BelongsTo(b Browser) bool { return b.fits(a.browser) }

// IsOver reports whether the person took longer than life, or began in the future.
func (a Attempt) IsOver(now time.Time, life time.Duration) bool {
	age := now.Sub(a.Began)
	return age >= life || age < -time.Minute
}

// Proofs are what ties the provider's answer to this attempt in this browser: the
// nonce, which the ID token repeats, and the PKCE verifier, which redeems the code.
func (a Attempt) Proofs(b Browser) (nonce string, verifier credential.Secret, err error) {
	if nonce, err = b.derive(a.ID, purposeNonce); err != nil {
		return "", credential.Secret{}, err
	}
	text, err := b.derive(a.ID, purposeVerifier)
	return nonce, credential.NewSecret(text), err
}
