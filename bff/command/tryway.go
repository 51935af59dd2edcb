package command

import (
	"context"
	"fmt"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/server"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// offers reports whether people of a frontend may do what is to be tried.
func offers(l *configs.FrontendLogin, o TryOptions) bool {
	if o.Exchange != "" && !slices.Contains(l.Exchanges, o.Exchange) {
		return false
	}
	if o.Way != "" {
		return slices.Contains(l.Ways, o.Way)
	}
	return len(l.Fields) > 0
}

// fields asks for what a page would send for the way.
func (t *attempt) fields() (map[string]credential.Secret, error) {
	if t.by.Name == "" {
		t.title("sign-in")
		return t.ask.fields(t.frontend.Login.Fields)
	}
	t.title("sign-in by way " + t.by.Name)
	return t.ask.fields(t.api.Ways.Fields(t.by))
}

// signIn goes the way, through all its steps.
func (t *attempt) signIn(ctx context.Context, fields map[string]credential.Secret) (*signin.SignedIn, error) {
	in, err := t.api.Ways.SignInBy(ctx, t.by, &mapping.Values{Fields: fields, Caller: t.caller}, time.Now())
	for err == nil && in.Step != nil {
		in, err = t.step(ctx, in.Step)
	}
	return in, err
}

// exchange changes the credential of the person who has just signed in. It returns what
// the session would hold then; after a failure that is what it held before.
func (t *attempt) exchange(ctx context.Context, name string, was *signin.SignedIn) (*credential.Credential, error) {
	by := signin.Way{Name: name, Exchange: true}
	t.title("exchange " + name)
	fields, err := t.ask.fields(t.api.Ways.Fields(by))
	if err != nil {
		return was.Credential, Failure{err}
	}
	in, err := t.api.Ways.SignInBy(ctx, by, &mapping.Values{Credential: was.Credential, Fields: fields, Caller: t.caller}, time.Now())
	switch {
	case err != nil:
		fmt.Fprintln(t.Stdout)
		t.refused(server.ProblemOf(err), err)
		fmt.Fprintln(t.Stdout, "  The session would stay as it was.")
		return was.Credential, ErrRefused
	case in.Accepted:
		fmt.Fprintln(t.Stdout, "\nA browser would see: 200 and the session document, unchanged: the API gave no new\ntoken.")
		return was.Credential, nil
	}
	held := in.Credential
	if in.Same || in.Subject == "" || in.Subject == was.Subject {
		held = was.Credential.Renew(in.Credential)
	}
	if in.Same {
		fmt.Fprintln(t.Stdout, "\nA browser would see: 200 and the session document; the person stays as they are.")
	} else {
		t.told(in, nil)
	}
	t.ends(held)
	return held, nil
}

// unique sorts names, and leaves out those that were there before.
func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
