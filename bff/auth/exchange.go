package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/session"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/oidc"
)

// Exchanger is a [Method] that gives tokens of their own for other APIs (RFC 8693):
// [oidc.Provider].
type Exchanger interface {
	// Exchange turns the access token of c into one for the API that x names. The result
	// never holds a refresh token.
	Exchange(ctx context.Context, c *credential.Credential, x configs.TokenExchange) (*credential.Credential, error)
}

// exchange is an API that gets tokens of its own, and never the session's.
type exchange struct {
	asked configs.TokenExchange
	key   string // under which a credential keeps the token
}

// exchangeTries bounds how often somebody else's renewal may come in between.
const exchangeTries = 3

// newExchanges finds the upstreams that get tokens of their own. The key holds what is
// asked for and where it goes, so that a changed configuration finds no token of before.
func newExchanges(c *configs.Config) map[string]*exchange {
	found := map[string]*exchange{}
	for name, u := range c.Upstreams {
		if u.Exchange == nil {
			continue
		}
		text, _ := json.Marshal([]any{name, u.URL, u.Exchange.Audience, u.Exchange.Resource, u.Exchange.Scopes}) // cannot fail: text
		sum := sha256.Sum256(text)
		found[name] = &exchange{*u.Exchange, hex.EncodeToString(sum[:12])}
	}
	return found
}

// exchanging gets tokens of its own for an API.
type exchanging struct{ *Auth }

// ensureExchanged sees to it that the API of the route gets a token of its own, if it is
// one that does: the one that the session keeps, or a new one. While an old one lasts, a
// failure leaves it in use.
func (a exchanging) ensureExchanged(c *call.Call, p *Principal, in *session.Session) (*session.Session, error) {
	x := a.exchanges[c.Route().Upstream]
	if x == nil || !c.Route().SendToken {
		return in, nil
	}
	p.Exchanged = in.Credential.Exchanged(x.key)
	method := a.Method(c.Frontend(), in)
	if p.Exchanged != nil && (p.Exchanged.Expires.IsZero() || p.Exchanged.Expires.Sub(a.manager.Now()) > method.RefreshBefore()) {
		return in, nil
	}
	renewed, err := a.exchange(c, p, in, x, x.key, always)
	if err != nil && !isEnded(err) && a.lasts(p.Exchanged) {
		return in, nil
	}
	return renewed, err
}

// lasts reports whether a token can still be used.
func (a exchanging) lasts(token *credential.Credential) bool {
	return token != nil && (token.Expires.IsZero() || a.manager.Now().Before(token.Expires))
}

// exchange gets another token than p has for the API, one at a time per session: a
// renewal of the session's own token counts as well. What comes is kept in the session.
func (a exchanging) exchange(c *call.Call, p *Principal, in *session.Session, x *exchange, purpose string, allowed func(context.Context) error) (*session.Session, error) {
	method := a.Method(c.Frontend(), in)
	provider, ok := method.(Exchanger)
	if !ok {
		return in, problem.ExchangeRefused.Because("the session is not one of a provider's that is configured")
	}
	before, requestID, frontend, span := p.Exchanged, string(c.ID), c.Frontend().Name, c.Span
	for range exchangeTries {
		renewed, err := a.manager.Amend(context.Background(), in, p.Ticket(c), method.RefreshTimeout(), purpose, func(ctx context.Context, old *credential.Credential) (*credential.Credential, error) {
			if err := allowed(ctx); err != nil {
				return nil, err
			}
			asking := span.Ask("exchange", method.Name())
			token, err := provider.Exchange(ctx, old, x.asked)
			asking.Answered(0, err)
			if err != nil {
				a.notExchanged(frontend, requestID, in.LogID, err)
				return nil, err
			}
			return old.WithExchanged(x.key, token), nil
		})
		if err != nil {
			return in, exchangeProblem(err)
		}
		token := renewed.Credential.Exchanged(x.key)
		if in = renewed; a.lasts(token) && (before == nil || !token.Value(credential.AccessToken).Equal(before.Value(credential.AccessToken))) {
			p.Exchanged = token
			return in, nil
		}
	}
	return in, problem.ExchangeFailed.Because("the token that came is of no use")
}

// ours are errors by which a provider refuses this program, and not the person.
var ours = []string{"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_dpop_proof", "use_dpop_nonce"}

// exchangeProblem is what the browser sees of a token that did not come.
func exchangeProblem(err error) error {
	var refused *oidc.ProviderError
	var p *problem.Problem
	switch {
	case errors.As(err, &p), isEnded(err):
		return err
	case errors.As(err, &refused) && refused.Status >= 400 && refused.Status < 500 && refused.Status != 429 && !slices.Contains(ours, refused.Code):
		return problem.ExchangeRefused.Because("the provider says " + refused.Code) // the event has its description
	case errors.Is(err, upstream.ErrTimeout):
		p = problem.ProviderTimeout
	case errors.Is(err, upstream.ErrUnreachable):
		p = problem.ProviderUnreachable
	case errors.Is(err, oidc.ErrFailed):
		p = problem.ExchangeFailed
	default:
		return err
	}
	return fmt.Errorf("%w: %w", p, err)
}

// notExchanged logs a token that did not come. The call that asked for it may be over.
func (a exchanging) notExchanged(frontend, requestID, sessionID string, err error) {
	outcome := "failed"
	if errors.Is(exchangeProblem(err), problem.ExchangeRefused) {
		outcome = "refused"
	}
	a.events.Metrics.Event(frontend, "exchange", outcome)
	a.events.Log.Warn("security", "event", "exchange", "outcome", outcome, "request_id", requestID,
		"frontend", frontend, "session", sessionID, "error", err)
}

// exchangeAgain gets another token than the one that an API refused with 401. Errors:
// [session.EndedError] only.
func (a exchanging) exchangeAgain(c *call.Call, p *Principal, x *exchange) (bool, error) {
	in := p.Session
	renewed, err := a.exchange(c, p, in, x, "401 "+x.key, func(ctx context.Context) error {
		ok, err := a.manager.Once(ctx, in, "401 "+x.key, retryInterval)
		if err == nil && !ok {
			err = errBraked
		}
		return err
	})
	if isEnded(err) {
		return false, err
	}
	if err != nil {
		return false, nil //nolint:nilerr // the API's own answer says more than our failure to better it
	}
	p.take(c, renewed)
	return true, nil
}
