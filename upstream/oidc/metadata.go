package oidc

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"coatcheck/configs"
)

// Metadata is what a provider says about itself (OpenID Connect Discovery 1.0 §3,
// RFC 8414), as far as it matters here. Its endpoints passed the rules of [New].
type Metadata struct {
	Issuer           string   `json:"issuer"`
	Authorization    string   `json:"authorization_endpoint"`
	Token            string   `json:"token_endpoint"`
	Userinfo         string   `json:"userinfo_endpoint"`
	Keys             string   `json:"jwks_uri"`
	Revocation       string   `json:"revocation_endpoint"`
	EndSession       string   `json:"end_session_endpoint"`
	Pushed           string   `json:"pushed_authorization_request_endpoint"`
	RequirePushed    bool     `json:"require_pushed_authorization_requests"`
	SendsIssuer      bool     `json:"authorization_response_iss_parameter_supported"`
	Algorithms       []string `json:"id_token_signing_alg_values_supported"`
	ClientAuth       []string `json:"token_endpoint_auth_methods_supported"`
	ClientAlgorithms []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	DPoPAlgorithms   []string `json:"dpop_signing_alg_values_supported"`
	Challenges       []string `json:"code_challenge_methods_supported"`
	Scopes           []string `json:"scopes_supported"`
	ResponseModes    []string `json:"response_modes_supported"`
	BackChannel      bool     `json:"backchannel_logout_supported"`
	// MTLS are endpoints for clients that show a certificate (RFC 8705 §5).
	MTLS Aliases `json:"mtls_endpoint_aliases"`
}

// Aliases are the endpoints of mtls_endpoint_aliases that are used here.
type Aliases struct {
	Token      string `json:"token_endpoint"`
	Revocation string `json:"revocation_endpoint"`
	Pushed     string `json:"pushed_authorization_request_endpoint"`
	Userinfo   string `json:"userinfo_endpoint"`
}

// UnmarshalJSON implements [json.Unmarshaler].
func (a *Aliases) UnmarshalJSON(b []byte) error {
	type plain Aliases // without this method
	return readExactly(b, (*plain)(a))
}

// parseMetadata reads a discovery document of c's issuer and holds it against the rules.
func parseMetadata(body []byte, c *configs.Provider) (*Metadata, error) {
	m := &Metadata{}
	if err := readExactly(body, m); err != nil {
		return nil, failed("metadata is not the JSON object that it should be")
	}
	if m.Issuer != c.Issuer {
		return nil, &IssuerError{Configured: c.Issuer, Announced: clean(m.Issuer, maxDescription)}
	}
	for name, endpoint := range m.endpoints() {
		if endpoint == "" && slices.Contains([]string{"authorization_endpoint", "token_endpoint", "jwks_uri"}, name) {
			return nil, failed("metadata has no %s", name)
		}
		if err := checkEndpoint(endpoint, c); err != nil {
			return nil, failed("metadata's %s: %w", name, err)
		}
	}
	return m, nil
}

// endpoints are all addresses in m, by name.
func (m *Metadata) endpoints() map[string]string {
	return map[string]string{
		"authorization_endpoint": m.Authorization, "token_endpoint": m.Token, "userinfo_endpoint": m.Userinfo,
		"jwks_uri": m.Keys, "revocation_endpoint": m.Revocation, "end_session_endpoint": m.EndSession,
		"pushed_authorization_request_endpoint": m.Pushed, "mtls_endpoint_aliases/token_endpoint": m.MTLS.Token,
		"mtls_endpoint_aliases/revocation_endpoint":                   m.MTLS.Revocation,
		"mtls_endpoint_aliases/pushed_authorization_request_endpoint": m.MTLS.Pushed,
		"mtls_endpoint_aliases/userinfo_endpoint":                     m.MTLS.Userinfo,
	}
}

// checkEndpoint holds an address that metadata names against the rules: https, or
// plain http where the issuer itself is plain and the address is as near as it is.
func checkEndpoint(raw string, c *configs.Provider) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || !isVisible(raw):
		return fmt.Errorf("not an absolute URL")
	case u.User != nil:
		return fmt.Errorf("has a user name")
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return fmt.Errorf("has a fragment")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("is not https")
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil || issuer.Scheme != "http" {
		return fmt.Errorf("is not https")
	}
	bothLoopback := isLoopbackHost(issuer.Hostname()) && isLoopbackHost(u.Hostname())
	if !bothLoopback && !strings.EqualFold(issuer.Hostname(), u.Hostname()) {
		return fmt.Errorf("is plain http at another host than the issuer")
	}
	return nil
}

// isVisible reports whether s is visible ASCII, as a serialised URL is.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// isLoopbackHost reports whether host never leaves the machine (RFC 6761 §6.3).
func isLoopbackHost(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// movedHost names an endpoint whose host is another one than before; "" for none. An
// endpoint that was not there before counts only if its host is new altogether.
func (m *Metadata) movedHost(next *Metadata) string {
	known, before := map[string]bool{}, m.endpoints()
	for _, endpoint := range before {
		known[hostOf(endpoint)] = true
	}
	for name, endpoint := range next.endpoints() {
		host := hostOf(endpoint)
		if endpoint != "" && (before[name] != "" && hostOf(before[name]) != host || !known[host]) {
			return name
		}
	}
	return ""
}

// hostOf is the host of a URL with its port, in lower case.
func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// static is the metadata of a provider without an issuer, as the operator says it.
func static(c *configs.Provider) *Metadata {
	m := &Metadata{Authorization: c.Authorization, Token: c.Token, Revocation: c.Revocation, ClientAuth: []string{"client_secret_post"}}
	return m
}
