package serviceaccount

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/upstream"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
)

// Token is what an account is signed in with, as it was when it was asked for.
type Token struct {
	// Credential has an access token.
	Credential *credential.Credential

	session *session.Session
	of      [sha256.Size]byte // the account's fingerprint
}

// UnavailableError says that an account has no token now, and when to ask again.
type UnavailableError struct {
	RetryAfter time.Duration // from now
	why        error
}

func (e UnavailableError) Error() string {
	return fmt.Sprintf("service account not signed in: %v", e.why)
}

// Unwrap returns why.
func (e UnavailableError) Unwrap() error { return e.why }

// errResting says that the API refused the account a while ago.
var errResting = errors.New("refused a while ago, and to be asked again later")

// shortRetry is [UnavailableError.RetryAfter] where the API did not answer.
const shortRetry = 2 * time.Second

// work is one account while something is done for it.
type work struct {
	keeper  *Keeper
	manager *session.Manager
	account *signin.Account
	ticket  session.Ticket
}

func (k *Keeper) work(a *signin.Account) (*work, error) {
	m, err := k.engine()
	if err != nil {
		return nil, err
	}
	return &work{k, m, a, ticketOf(m, a)}, nil
}

// Token returns what the account is signed in with. It signs in at first need, and
// renews what is about to end; a renewal that fails leaves the old token in use while it
// lasts. Errors: [UnavailableError], and [store.ErrUnavailable] where the store is away and this
// process knows no token that lasts.
func (k *Keeper) Token(ctx context.Context, a *signin.Account) (*Token, error) {
	t, err := k.token(ctx, a)
	if errors.Is(err, store.ErrUnavailable) {
		if last := k.known.token(a); last != nil && lasts(last.Credential, time.Now()) {
			return last, nil
		}
	}
	k.known.note(a, t)
	return t, err
}

func (k *Keeper) token(ctx context.Context, a *signin.Account) (*Token, error) {
	w, err := k.work(a)
	if err != nil {
		return nil, err
	}
	s, err := w.find(ctx)
	if err != nil {
		return nil, w.unavailable(err)
	}
	now := w.manager.Now()
	if !w.isDue(s.Credential, now) {
		return w.made(s, nil)
	}
	renewed, err := w.manager.Refresh(ctx, s, w.ticket, a.Timeout(), func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		return w.ask(ctx, old, true)
	})
	if err != nil {
		if lasts(s.Credential, now) {
			return w.made(s, nil)
		}
		return w.made(nil, err)
	}
	return w.made(renewed, nil)
}

// retryInterval is how often an account's token is renewed because of a 401.
const retryInterval = time.Minute

// errBraked says that a token was renewed because of a 401 a moment ago.
var errBraked = errors.New("renewed because of a 401 less than a minute ago")

// Renew gets a newer token than one that the API refused with 401, once a minute in the
// whole fleet; nil without an error: there is none, and the API's answer stands. Where
// the API refuses the account as well the error is [UnavailableError], for this call and for those
// that follow.
func (k *Keeper) Renew(ctx context.Context, a *signin.Account, refused *Token) (*Token, error) {
	w, err := k.work(a)
	if err != nil {
		return nil, nil //nolint:nilerr // the API's own answer says more than our failure to better it
	}
	renewed, err := w.manager.Refresh(ctx, refused.session, w.ticket, a.Timeout(), func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
		if !stateOf(old).retry.IsZero() && stateOf(old).retry.After(w.manager.Now()) {
			return nil, errResting
		}
		ok, err := w.manager.Once(ctx, refused.session, "401", retryInterval)
		if err == nil && !ok {
			err = errBraked
		}
		if err != nil {
			return nil, err
		}
		return w.ask(ctx, old, false)
	})
	if err != nil {
		return nil, nil //nolint:nilerr // as above
	}
	t, err := w.made(renewed, nil)
	k.known.note(a, t)
	return t, err
}

// find returns the record, and begins it where there is none.
func (w *work) find(ctx context.Context) (*session.Session, error) {
	s, err := w.manager.Peek(ctx, w.account.Name(), w.ticket)
	var ended session.EndedError
	if !errors.As(err, &ended) {
		return s, err
	}
	w.keeper.begin.Lock()
	defer w.keeper.begin.Unlock()
	if s, err = w.manager.Peek(ctx, w.account.Name(), w.ticket); !errors.As(err, &ended) {
		return s, err // another call has begun it
	}
	return w.manager.Begin(ctx, w.account.Name(), w.ticket)
}

// isDue reports whether the API is to be asked: there is no token, or it is about to end,
// and the API has not refused the account a moment ago. Of a token that lasts shorter
// than usual a quarter of its life is left then.
func (w *work) isDue(c *credential.Credential, now time.Time) bool {
	is := stateOf(c)
	if is.retry.After(now) {
		return false
	}
	if c.Value(credential.AccessToken).IsEmpty() {
		return true
	}
	before := w.account.Before()
	if whole := c.Expires.Sub(is.given); !is.given.IsZero() && whole/4 < before {
		before = whole / 4
	}
	return !c.Expires.IsZero() && c.Expires.Sub(now) <= before
}

// lasts reports whether a credential has a token that is good now.
func lasts(c *credential.Credential, now time.Time) bool {
	return !c.Value(credential.AccessToken).IsEmpty() && (c.Expires.IsZero() || c.Expires.After(now))
}

// made is the token of a record; err is why there is none.
func (w *work) made(s *session.Session, err error) (*Token, error) {
	if err != nil {
		return nil, w.unavailable(err)
	}
	now := w.manager.Now()
	if lasts(s.Credential, now) {
		return &Token{s.Credential, s, w.account.Fingerprint()}, nil
	}
	return nil, UnavailableError{max(time.Second, stateOf(s.Credential).retry.Sub(now)), errResting}
}

func (w *work) unavailable(err error) error {
	if errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return UnavailableError{shortRetry, err}
}

// ask asks the API for another credential, under the lease: by a renewal where there is
// one, else by a sign-in. What the API answers is what the record says then, a refusal
// too; where it does not answer the record stays as it is.
func (w *work) ask(ctx context.Context, old *credential.Credential, keepToken bool) (*credential.Credential, error) {
	now := w.manager.Now()
	if w.account.Renews(old) {
		fresh, err := w.account.Refresh(ctx, old, now)
		if err == nil {
			w.tell("renewed", nil)
			return given(fresh, now), nil
		}
		if !answered(err) {
			w.tell("unreachable", err)
			return nil, err
		}
		w.tell("renewal_refused", err)
		if keepToken && lasts(old, now) && !isDead(err) {
			return failed(old, err, w.manager.Now(), keepToken), nil
		}
	}
	fresh, err := w.account.SignIn(ctx, now)
	switch {
	case err == nil:
		w.tell("signed_in", nil)
		return given(fresh, now), nil
	case answered(err):
		w.tell("refused", err)
		return failed(old, err, w.manager.Now(), keepToken), nil
	}
	w.tell("unreachable", err)
	return nil, err
}

// isDead reports whether the API said that a refresh token is dead.
func isDead(err error) bool {
	var refusal *mapping.Refusal
	return errors.As(err, &refusal) && refusal.Meaning == mapping.SessionExpired
}

// answered reports whether an error is the API's answer.
func answered(err error) bool {
	var refusal *mapping.Refusal
	return errors.As(err, &refusal) || errors.Is(err, upstream.ErrInvalid)
}

func (w *work) tell(outcome string, err error) {
	w.keeper.event(outcome)
	attrs := []any{"event", "account", "outcome", outcome, "account", w.account.Name()}
	if err != nil {
		w.keeper.log.Warn("security", append(attrs, "error", err)...)
		return
	}
	w.keeper.log.Info("security", attrs...)
}
