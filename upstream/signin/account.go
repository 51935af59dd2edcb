package signin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// Account is how Coatcheck itself signs in at an API, for programs that call.
type Account struct {
	name   string
	up     *Upstream
	login  *Exchange
	fields map[string]credential.Secret // nil where the sign-in is the account's own
	print  func() [sha256.Size]byte
}

// Account returns the account of that name that signs in; nil: there is none, or its
// token is known.
func (u *Upstream) Account(name string) *Account { return u.accounts[name] }

// Name of the account in the configuration, behind its upstream's: api/robot.
func (a *Account) Name() string { return a.up.name + "/" + a.name }

// Upstream is the name of the API.
func (a *Account) Upstream() string { return a.up.name }

// Timeout bounds a renewal, and the sign-in that follows where it was refused.
func (a *Account) Timeout() time.Duration { return a.login.timeout + a.up.RefreshTimeout() }

// Before is how much of a token's life is left when it is renewed, at most.
func (a *Account) Before() time.Duration {
	if a.fields == nil {
		return ownBefore
	}
	return cmp.Or(a.up.RefreshBefore(), ownBefore)
}

// ownBefore is [Account.Before] where no refresh says otherwise.
const ownBefore = 30 * time.Second

// Renews reports whether c can be renewed by the upstream's refresh. A sign-in of the
// account's own is made again instead.
func (a *Account) Renews(c *credential.Credential) bool { return a.fields != nil && a.up.Renews(c) }

// Refresh renews old, as [Upstream.Refresh] does.
func (a *Account) Refresh(ctx context.Context, old *credential.Credential, now time.Time) (*credential.Credential, error) {
	return a.up.Refresh(ctx, old, mapping.Caller{}, now)
}

// SignIn asks the API for a credential. A step that a person would have to take is
// [mapping.MFARequired]. Errors are those of [Ways.SignIn].
func (a *Account) SignIn(ctx context.Context, now time.Time) (*credential.Credential, error) {
	if a.fields != nil {
		nobody := *a.up.Ways.login
		nobody.user = nil // an account is no person, so nobody is described
		in, err := a.up.Ways.walk(ctx, &nobody, nobody.Exchange, &mapping.Values{Fields: a.fields}, now)
		switch {
		case err != nil:
			return nil, err
		case in.Accepted:
			return nil, a.up.wrap(a.login.Name, mapping.Invalid("accepted without a credential"))
		case in.Step != nil:
			return nil, &mapping.Refusal{Meaning: mapping.MFARequired}
		}
		return in.Credential, nil
	}
	response, next, err := a.login.try(ctx, &mapping.Values{})
	if err == nil && next != "" {
		err = mapping.Invalid("an account takes no steps")
	}
	if err != nil {
		return nil, a.up.wrap(a.login.Name, err)
	}
	given, err := a.login.Places.Extract(response, now)
	traceOf(ctx).extracted(a.login, response, given, err)
	return given, a.up.wrap(a.login.Name, err)
}

// Fingerprint differs where the sign-in would be another one: another person, another
// password, another address. It is made of secrets: it must not be shown, or stored.
func (a *Account) Fingerprint() [sha256.Size]byte { return a.print() }

func (a *Account) fingerprint() [sha256.Size]byte {
	sum := sha256.New()
	write(sum, a.name, a.login.request.to.address.Origin())
	filled, err := a.login.request.Fill(a.login.request.to.address, a.up.agent, a.login.request.send, &mapping.Values{Fields: a.fields})
	if err == nil {
		write(sum, filled.Method, filled.URL, string(filled.Body))
		for _, name := range slices.Sorted(maps.Keys(filled.Header)) {
			write(sum, append([]string{name}, filled.Header[name]...)...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.fields)) {
		write(sum, name, a.fields[name].Reveal())
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

// write adds parts, each behind its length so that no two lists look alike.
func write(to hash.Hash, parts ...string) {
	for _, part := range parts {
		to.Write(binary.AppendUvarint(nil, uint64(len(part))))
		to.Write([]byte(part))
	}
}

// compileAccounts compiles the accounts that sign in.
func (m *compiler) compileAccounts() error {
	var failed []error
	m.u.accounts = map[string]*Account{}
	for name, c := range m.cfg.Accounts {
		if c == nil || c.Credential != nil {
			continue
		}
		a, err := m.account(name, c)
		if err != nil {
			failed = append(failed, within(name, err))
			continue
		}
		m.u.accounts[name] = a
	}
	return errors.Join(failed...)
}

func (m *compiler) account(name string, c *configs.Account) (*Account, error) {
	a := &Account{name: name, up: m.u, fields: c.Fields}
	if m.u.Ways.login != nil {
		a.login = m.u.Ways.login.Exchange
	}
	a.print = sync.OnceValue(a.fingerprint)
	if c.Login == nil {
		if a.login == nil {
			return nil, errors.New("the upstream has no login")
		}
		return a, nil
	}
	x := &Exchange{Name: "account " + name, Key: m.key("accounts." + name + ".login"), timeout: orDefault(c.Login.Timeout, defaultTimeout)}
	var failed [3]error
	x.request, failed[0] = m.request(c.Login.Request, http.MethodPost, m.u.send.Constant())
	x.Rules, failed[1] = rules(c.Login.Answers, c.Login.Rejected, c.Login.Presumed, mapping.InvalidCredentials)
	x.Places, failed[2] = m.places(c.Login.Credential)
	a.login = x
	return a, errors.Join(failed[:]...)
}
