package command

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
	"coatcheck/upstream/trial"
)

// tryAccount signs in once with an account, as it would be for the first program that
// calls. Nothing is stored.
func (p *Program) tryAccount(ctx context.Context, config *configs.Config, o TryOptions) error {
	if o.Upstream == "" {
		for _, name := range slices.Sorted(maps.Keys(config.Upstreams)) {
			if config.Upstreams[name].Accounts[o.Account] != nil {
				o.Upstream = name
				break
			}
		}
	}
	u := config.Upstreams[o.Upstream]
	switch {
	case u == nil || u.Accounts[o.Account] == nil:
		return fmt.Errorf("no upstream %q with an account %q", o.Upstream, o.Account)
	case u.Accounts[o.Account].Credential != nil:
		return fmt.Errorf("account %q has a token that the file names: there is nothing to sign in", o.Account)
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return Failure{err}
	}
	defer ups.Close()
	t := &attempt{Program: p, api: ups.Get(o.Upstream)}
	t.shown = trial.New(painter{p.Stdout, terminal.Of(p.Stdout, p.Getenv)}.line)
	return t.account(signin.WithTrace(ctx, t.shown.Hooks()), t.api.Account(o.Account), o)
}

func (t *attempt) account(ctx context.Context, a *signin.Account, o TryOptions) error {
	fmt.Fprintln(t.Stdout, "Secrets are masked: {name} stands for a value that is filled in, [text, 57] for\ntext of 57 characters.")
	t.title("sign-in of account " + a.Name())
	held, err := a.SignIn(ctx, time.Now())
	if err != nil {
		fmt.Fprintf(t.Stdout, "\nA program would see: 503 account_unavailable, and the API would be asked again later.\n  the log would say:\n  %v\n", err)
		return ErrRefused
	}
	fmt.Fprintln(t.Stdout, "\nThe account is let in: calls of programs go out with this token.")
	t.accountEnds(a, held)
	if o.Refresh {
		if held, err = t.renewAccount(ctx, a, held); err != nil {
			return err
		}
	}
	if o.Logout {
		return t.logout(ctx, held)
	}
	fmt.Fprintln(t.Stdout, "\nThe token lives on at the API until it ends.")
	return nil
}

// accountEnds says how long the token lasts, and what comes then.
func (t *attempt) accountEnds(a *signin.Account, c *credential.Credential) {
	fmt.Fprintf(t.Stdout, "\nThe access token expires in: %s\n", left(c.Expires))
	how := "by another sign-in"
	if a.Renews(c) {
		how = "by the upstream's refresh"
	}
	if c.Expires.IsZero() {
		fmt.Fprintf(t.Stdout, "It is renewed %s when the API answers a call with 401.\n", how)
		return
	}
	fmt.Fprintf(t.Stdout, "It is renewed %s, %s before, or when a quarter of its life is left.\n", how, a.Before())
}

func (t *attempt) renewAccount(ctx context.Context, a *signin.Account, held *credential.Credential) (*credential.Credential, error) {
	t.title("renewal")
	renew := func() (*credential.Credential, error) { return a.SignIn(ctx, time.Now()) }
	if a.Renews(held) {
		renew = func() (*credential.Credential, error) { return t.api.Refresh(ctx, held, mapping.Caller{}, time.Now()) }
	}
	next, err := renew()
	if err != nil {
		fmt.Fprintf(t.Stdout, "\nNot renewed:\n  %v\n", err)
		return nil, ErrRefused
	}
	fmt.Fprintln(t.Stdout, "\nRenewed.")
	t.accountEnds(a, next)
	return next, nil
}
