package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/explain"
	"coatcheck/bff/pending"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/oidc"
)

// ProviderTrial is one sign-in at a provider, told to an operator. No secret is shown.
type ProviderTrial struct {
	// Config that names the provider; it has been checked.
	Config *configs.Config
	// Provider by its name in the configuration.
	Provider string
	// Listen is the loopback address that the browser comes back to, "127.0.0.1:8765" by
	// default. The redirect URI made of it must be registered at the provider.
	Listen string
	// Paste uses the redirect URI that is registered already: the operator copies the
	// address that the browser ended at, and it is read from In.
	Paste bool
	In    io.Reader
	// Out is where the sign-in is told.
	Out io.Writer
}

// errTrial says that a check failed; it has been reported.
var errTrial = errors.New("command: the trial failed")

// Run signs a person in once, renews the token, and revokes it. Its error says that
// something failed, and is reported in full by then.
func (t ProviderTrial) Run(ctx context.Context) error {
	c := t.Config.Providers[t.Provider]
	if c == nil {
		return fmt.Errorf("no provider %q in the configuration", t.Provider)
	}
	p, err := oidc.New(t.Provider, c, oidc.Options{UserAgent: "Coatcheck try"})
	if err != nil {
		return err
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(ctx, c.Attempt)
	defer cancel()
	back, err := t.wayBack(ctx)
	if err != nil {
		return err
	}
	defer back.close()
	r := &trialRun{ProviderTrial: t, p: p, back: back}
	if err := r.run(ctx); err != nil {
		r.say("FAILED", "%s", err)
		return errTrial
	}
	return nil
}

// trialRun is a trial under way.
type trialRun struct {
	ProviderTrial
	p    *oidc.Provider
	back *wayBack
}

func (r *trialRun) say(step, format string, args ...any) {
	for _, line := range explain.Trail(step, fmt.Sprintf(format, args...)) {
		fmt.Fprintln(r.Out, line)
	}
}

func (r *trialRun) run(ctx context.Context) error {
	c := r.Config.Providers[r.Provider]
	r.say("provider", "%s, client %s", orDefault(c.Issuer, c.Authorization), c.ClientID)
	if seen, err := r.p.Inspect(ctx); err != nil {
		return err
	} else if c.HasIssuer() {
		r.say("ok", "metadata of this issuer, %d keys", seen.Keys)
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	sealer, err := pending.NewSealer([]credential.Secret{credential.NewSecret(string(key))})
	if err != nil {
		return err
	}
	browser := pending.NewBrowser()
	attempt := pending.Begin("try", r.Provider, r.back.redirectURI, browser, time.Now())
	query, err := r.send(ctx, sealer, attempt, browser)
	if err != nil {
		return err
	}
	if opened, err := sealer.Open(query.Get("state"), r.Provider, r.back.redirectURI); err != nil || opened.ID != attempt.ID || !opened.BelongsTo(browser) {
		return errors.New("state: not the one of this attempt")
	}
	r.say("ok", "state: opens, and is this attempt's")
	if err := r.p.CheckCallback(ctx, oidc.Callback{Issuer: query.Get("iss"), Error: query.Get("error"), Description: query.Get("error_description")}); err != nil {
		return err
	}
	r.say("ok", "iss: %s; error: none", orDefault(query.Get("iss"), "not sent, and not announced"))
	return r.redeem(ctx, attempt, browser, query.Get("code"))
}

// send shows where to go, and waits for the way back.
func (r *trialRun) send(ctx context.Context, sealer *pending.Sealer, attempt pending.Attempt, browser pending.Browser) (url.Values, error) {
	state, err := sealer.Seal(attempt)
	if err != nil {
		return nil, err
	}
	nonce, verifier, err := attempt.Proofs(browser)
	if err != nil {
		return nil, err
	}
	address, err := r.p.Authorize(ctx, oidc.Request{RedirectURI: attempt.RedirectURI, State: state, Nonce: nonce, Verifier: verifier})
	if err != nil {
		return nil, err
	}
	r.say("redirect", "%s (must be registered there exactly like this)", attempt.RedirectURI)
	fmt.Fprintf(r.Out, "\nOpen this address and sign in:\n\n%s\n\n", address)
	if r.Paste {
		fmt.Fprintln(r.Out, "Then paste the address at which the browser ends, whatever that page shows:")
	}
	select {
	case text := <-r.back.query:
		query, err := url.ParseQuery(text)
		if err != nil {
			return nil, errors.New("the redirect cannot be read")
		}
		for name, values := range query {
			if len(values) > 1 {
				return nil, fmt.Errorf("the redirect has %q twice", name)
			}
		}
		return query, nil
	case <-ctx.Done():
		return nil, errors.New("no browser came back in time")
	}
}

// redeem turns the code into a person, and shows both; the tokens are revoked at the end.
func (r *trialRun) redeem(ctx context.Context, attempt pending.Attempt, browser pending.Browser, code string) error {
	if code == "" {
		return errors.New("code: none came")
	}
	nonce, verifier, err := attempt.Proofs(browser)
	if err != nil {
		return err
	}
	result, err := r.p.Redeem(ctx, oidc.Code{Code: credential.NewSecret(code), Verifier: verifier, Nonce: nonce, RedirectURI: attempt.RedirectURI})
	if err != nil {
		return err
	}
	held := result.Credential
	r.say("ok", "code: redeemed for %s", tokensOf(held))
	if r.Config.Providers[r.Provider].IsOpenID() {
		r.say("ok", "ID token: signature, iss, aud, times, nonce; sid: %s", orDefault(mask(result.SessionID), "none: logout tokens must name the person"))
	}
	r.say("ok", "admit: this person may sign in")
	r.say("person", "subject %s", mask(result.Subject))
	for _, name := range slices.Sorted(maps.Keys(result.User)) {
		r.say("", "%s %s", name, maskJSON(result.User[name]))
	}
	failed := r.refresh(ctx, &held)
	r.signOut(ctx, held, result)
	return failed
}

func (r *trialRun) refresh(ctx context.Context, held **credential.Credential) error {
	if !r.p.Renews(*held) {
		r.say("note", "no refresh token came: the session ends with the token")
		return nil
	}
	fresh, err := r.p.Refresh(ctx, *held, mapping.Caller{}, time.Now())
	if err != nil {
		return err
	}
	rotated := "the refresh token stays the same"
	if !fresh.Value(credential.RefreshToken).Equal((*held).Value(credential.RefreshToken)) {
		rotated = "the refresh token is a new one"
	}
	*held = fresh
	r.say("ok", "refresh: %s; %s", tokensOf(fresh), rotated)
	return nil
}

// signOut revokes what was given, and shows the address of the provider's sign-out.
func (r *trialRun) signOut(ctx context.Context, held *credential.Credential, result *oidc.Result) {
	back := ""
	for _, g := range r.Config.Registrations() {
		if g.Provider == r.Provider && len(g.PostLogout) > 0 {
			back = g.PostLogout[0]
		}
	}
	token := held.Value(oidc.IDToken)
	switch address, err := r.p.EndSessionURL(ctx, oidc.EndSession{IDToken: token, LogoutHint: result.Subject, RedirectURI: back}); {
	case errors.Is(err, oidc.ErrUnsupported):
		r.say("sign-out", "ends the session here only")
	case err != nil:
		r.say("sign-out", "%s", err)
	default:
		text := address.Reveal()
		if !token.IsEmpty() {
			text = strings.ReplaceAll(text, url.QueryEscape(token.Reveal()), mask(token.Reveal()))
		}
		r.say("sign-out", "%s", text)
	}
	if err := r.p.SignOut(ctx, held, mapping.Caller{}); err != nil {
		r.say("note", "the tokens were not revoked: %s", err)
		return
	}
	r.say("ok", "the tokens were revoked, if the provider supports that")
}
