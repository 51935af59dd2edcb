package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"coatcheck/bff/call"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/upstream/oidc"
)

// Tokens verifies access tokens of a provider that programs present.
type Tokens interface {
	// InspectAccessToken checks what can be known without the provider, and returns what the
	// token claims. It proves nothing.
	InspectAccessToken(token string, audiences []string) (claims []byte, err error)
	// AccessToken verifies a token, one of whose audiences is one of audiences, and returns
	// its claims, a JSON object, and its audiences. [oidc.ErrNoKeys] says that nothing is
	// known of the token.
	AccessToken(ctx context.Context, token string, audiences []string) (claims []byte, audience []string, err error)
}

// tokenCallers are those who prove themselves by a token of a provider: those of the
// route first, so that a token which fits two callers is that of the route's.
func (k *Callers) tokenCallers(c *call.Call) (all []*caller) {
	here := c.Route().Programs.Callers
	for _, name := range here {
		if who := k.byName[name]; who.claims != nil {
			all = append(all, who)
		}
	}
	for _, name := range k.tokenNames {
		if !slices.Contains(here, name) {
			all = append(all, k.byName[name])
		}
	}
	return all
}

// byToken finds whose token was presented. A token is verified once for each
// provider, however many callers present its tokens.
func (k *Callers) byToken(c *call.Call, p *Principal, token credential.Secret) error {
	why, away := error(errNotAKey), error(nil)
	claims, audiences := map[string][]byte{}, map[string][]string{}
	for _, who := range k.tokenCallers(c) {
		of := who.config.Token
		if _, known := claims[of.Provider]; !known {
			var err error
			claims[of.Provider], audiences[of.Provider], err = k.verifyToken(of.Provider, token)
			switch {
			case errors.Is(err, oidc.ErrNoKeys):
				away = err
			case err != nil:
				why = err
			}
		}
		if claims[of.Provider] == nil {
			continue
		}
		if err := who.admits(claims[of.Provider], audiences[of.Provider]); err != nil {
			why = err
			continue
		}
		c.Program.Name, c.Program.Proof, c.Program.Until = who.name, configs.ByToken, endOf(claims[of.Provider])
		return k.letIn(c, p, who)
	}
	if away != nil {
		return providerAway(away)
	}
	return k.unknown(c, why.Error())
}

// errNotAKey says that what was presented is no key, and no token of a provider either.
var errNotAKey = errors.New("neither a key nor a token of a provider")

// errAudience says that a token is for another caller than the one that was looked at.
var errAudience = errors.New("token is for other audiences")

// verifyToken verifies a token for all callers of a provider.
func (k *Callers) verifyToken(provider string, token credential.Secret) (claims []byte, audience []string, err error) {
	tokens := k.tokens[provider]
	if tokens == nil {
		return nil, nil, errNotAKey
	}
	ctx, cancel := call.Detached()
	defer cancel()
	return tokens.AccessToken(ctx, token.Reveal(), k.audiencesAt(provider))
}

// audiencesAt are the audiences of all callers of a provider.
func (k *Callers) audiencesAt(provider string) (all []string) {
	for _, name := range k.tokenNames {
		if of := k.byName[name].config.Token; of.Provider == provider {
			all = append(all, of.Audiences...)
		}
	}
	return all
}

// admits reports why verified claims are not the caller's; nil: they are.
func (w *caller) admits(claims []byte, audience []string) error {
	if !slices.ContainsFunc(audience, func(a string) bool { return slices.Contains(w.config.Token.Audiences, a) }) {
		return errAudience
	}
	return w.claims.Admit(claims)
}

func providerAway(err error) error {
	p := problem.ProviderUnreachable
	if errors.Is(err, upstream.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		p = problem.ProviderTimeout
	}
	return p.Because(err.Error())
}

// tokenSkew is how far the clocks of a provider and ours may differ.
const tokenSkew = time.Minute

// endOf is when what a verified token began ends: with the token, whose claims say so. One
// that has ended already was let in by the skew of the clocks, and has as much time.
func endOf(claims []byte) time.Time {
	said := map[string]json.RawMessage{}
	_ = json.Unmarshal(claims, &said) // an object with a number, or it would not be verified
	seconds, _ := strconv.ParseFloat(string(said["exp"]), 64)
	ends := time.Unix(int64(seconds), 0)
	if ends.Before(time.Now()) {
		ends = ends.Add(tokenSkew)
	}
	return ends
}
