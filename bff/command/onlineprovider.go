package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream/oidc"
)

// providerOnline asks a provider for its metadata and keys, and says what of it matters
// here. Another issuer than the configured one is said with the line to paste.
func providerOnline(ctx context.Context, name string, c *configs.Provider) ([]string, error) {
	p, err := oidc.New(name, c, oidc.Options{})
	if err != nil {
		return nil, err
	}
	defer p.Close()
	got, err := p.Inspect(ctx)
	var other *oidc.IssuerError
	if errors.As(err, &other) {
		return []string{"configured:  " + other.Configured, "it says:     " + other.Announced, "to paste:    issuer: " + other.Announced}, err
	}
	if err != nil {
		return nil, err
	}
	if !c.HasIssuer() {
		return []string{"no issuer, so there is no metadata to look at"}, nil
	}
	found := []string{fmt.Sprintf("metadata in %s, %d keys", milliseconds(got.Took), got.Keys)}
	if got.ClockKnown {
		found = append(found, clockLine(got.Clock))
	}
	return append(found, capabilities(got.Metadata, c)...), impossible(got.Metadata, c)
}

// impossible says why no sign-in can work with what the provider announces; nil: it can.
func impossible(m *oidc.Metadata, c *configs.Provider) error {
	switch {
	case c.PAR == "required" && m.Pushed == "":
		return errors.New("par: required, and the provider takes no pushed requests")
	case c.Userinfo && m.Userinfo == "":
		return errors.New("userinfo: true, and the provider has no userinfo endpoint")
	case c.IsOpenID() && !m.SignsUsably():
		return errors.New("the provider signs ID tokens by no algorithm that is taken here")
	}
	return nil
}

// capabilities are what a provider announces, and what of it is amiss.
func capabilities(m *oidc.Metadata, c *configs.Provider) []string {
	yes := func(name string, there bool) string {
		return name + ": " + map[bool]string{true: "yes", false: "no"}[there]
	}
	lines := []string{
		strings.Join([]string{yes("PKCE S256", slices.Contains(m.Challenges, "S256")), yes("pushed requests", m.Pushed != ""),
			yes("DPoP", slices.Contains(m.DPoPAlgorithms, "ES256")), yes("iss in answers", m.SendsIssuer)}, ", "),
		strings.Join([]string{yes("revocation", m.Revocation != ""), yes("sign-out there", m.EndSession != "" || c.EndSession != ""),
			yes("back-channel logout", m.BackChannel)}, ", "),
	}
	if len(m.Challenges) == 0 {
		lines = append(lines, "it does not announce PKCE: the challenge is sent and may be ignored")
	}
	for _, scope := range c.Scopes {
		if len(m.Scopes) > 0 && !slices.Contains(m.Scopes, scope) && scope == "offline_access" {
			lines = append(lines, "it does not announce the scope offline_access: there may be no refresh token")
		}
	}
	return lines
}
