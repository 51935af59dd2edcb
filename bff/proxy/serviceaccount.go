package proxy

import (
	"context"
	"errors"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/serviceaccount"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// account is what programs' calls of a route may go out with: a token that the file
// names, or what the account is signed in with.
type account struct {
	static *credential.Credential
	signs  *signin.Account
}

// accountsOf are the accounts of an upstream.
func accountsOf(u *configs.Upstream, up *signin.Upstream) map[string]account {
	accounts := map[string]account{}
	if u == nil {
		return accounts
	}
	for name, a := range u.Accounts {
		one := account{signs: up.Account(name)}
		if a.Credential != nil {
			one.static = credential.New(a.Credential, time.Time{}, time.Time{})
		}
		accounts[name] = one
	}
	return accounts
}

// takeAccount gets the token that a program's call goes out with, which may take a
// sign-in. Errors: [problem.AccountUnavailable], and that the store is away.
func (x *roundTrip) takeAccount() error {
	if x.who.Caller == nil {
		return nil
	}
	a := x.target.accounts[x.who.Caller.Account]
	x.carried = a.static
	if a.signs == nil {
		return nil
	}
	t, err := x.keeper().Token(context.Background(), a.signs)
	if err != nil {
		return accountProblem(err)
	}
	x.account, x.carried = t, t.Credential
	return nil
}

// renewAccount gets another token after the API's 401, where the account can have one. It
// reports whether the call is to be repeated: once, and only where its body is held.
func (x *roundTrip) renewAccount() (again bool, err error) {
	t, err := x.keeper().Renew(context.Background(), x.target.accounts[x.who.Caller.Account].signs, x.account)
	if err != nil {
		return false, accountProblem(err)
	}
	if t == nil {
		return false, nil
	}
	x.account, x.carried = t, t.Credential
	return x.out.Body == nil, nil
}

func (x *roundTrip) keeper() *serviceaccount.Keeper { return x.proxy.auth.Callers.Programs().Accounts }

// accountProblem is what a program sees when its account has no token.
func accountProblem(err error) error {
	var away serviceaccount.UnavailableError
	if !errors.As(err, &away) {
		return err
	}
	return problem.AccountUnavailable.With(func(p *problem.Problem) { p.RetryAfter = away.RetryAfter }).Because(err.Error())
}
