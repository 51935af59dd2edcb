package provider

import (
	"maps"
	"net/http"
	"strings"
)

// discovery describes the provider.
func (p *Provider) discovery(w http.ResponseWriter, r *http.Request) {
	switch p.first(DiscoveryHuge, DiscoveryRedirect, DiscoveryGarbage, DiscoveryAway) {
	case DiscoveryHuge:
		doc := p.metadata()
		doc["padding"] = strings.Repeat("x", 600<<10)
		writeJSON(w, http.StatusOK, doc)
		return
	case DiscoveryRedirect:
		http.Redirect(w, r, p.at("/.well-known/openid-configuration?again"), http.StatusFound)
		return
	case DiscoveryGarbage:
		_, _ = w.Write([]byte(`["no", "object"]`))
		return
	case DiscoveryAway:
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	doc := p.metadata()
	p.falsify(doc)
	writeJSON(w, http.StatusOK, doc)
}

func (p *Provider) metadata() map[string]any {
	doc := map[string]any{
		"issuer": p.options.Issuer, "authorization_endpoint": p.at("/authorize"), "token_endpoint": p.at("/token"),
		"userinfo_endpoint": p.at("/userinfo"), "jwks_uri": p.at("/keys"), "revocation_endpoint": p.at("/revoke"),
		"end_session_endpoint": p.at("/end_session"), "response_types_supported": []string{"code"},
		"response_modes_supported": []string{"query", "form_post"}, "subject_types_supported": []string{"public"},
		"grant_types_supported":                            []string{"authorization_code", "refresh_token", exchangeGrant},
		"scopes_supported":                                 []string{"openid", "profile", "email", "offline_access"},
		"id_token_signing_alg_values_supported":            []string{"RS256", "PS256", "ES256", "EdDSA"},
		"token_endpoint_auth_methods_supported":            []string{"client_secret_basic", "client_secret_post", "private_key_jwt", "self_signed_tls_client_auth"},
		"token_endpoint_auth_signing_alg_values_supported": []string{"RS256", "PS256", "ES256", "EdDSA"},
		"code_challenge_methods_supported":                 []string{"S256"}, "acr_values_supported": []string{"silver", "gold"},
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
	}
	if !p.options.NoPAR {
		doc["pushed_authorization_request_endpoint"] = p.at("/par")
	}
	if !p.options.NoDPoP {
		doc["dpop_signing_alg_values_supported"] = []string{"ES256"}
	}
	if at := p.options.MTLS; at != "" {
		doc["mtls_endpoint_aliases"] = map[string]string{"token_endpoint": at + "/token", "revocation_endpoint": at + "/revoke",
			"pushed_authorization_request_endpoint": at + "/par", "userinfo_endpoint": at + "/userinfo"}
	}
	return doc
}

// falsify puts the sins of the moment into the metadata.
func (p *Provider) falsify(doc map[string]any) {
	lies := map[Sin]map[string]any{
		DiscoveryIssuerMismatch: {"issuer": "https://evil.example"},
		DiscoveryIssuerSlash:    {"issuer": p.options.Issuer + "/"},
		DiscoveryPlainEndpoint:  {"token_endpoint": "http://id.example/token"},
		DiscoveryPrivate:        {"token_endpoint": "https://10.0.0.1/token"},
		DiscoveryMetadataHost:   {"jwks_uri": "https://169.254.169.254/latest"},
		DiscoveryUserInfo:       {"token_endpoint": strings.Replace(p.at("/token"), "://", "://name:word@", 1)},
		DiscoveryFragment:       {"authorization_endpoint": p.at("/authorize#top")},
		DiscoveryScript:         {"authorization_endpoint": "javascript:alert(1)"},
		DiscoveryNoToken:        {"token_endpoint": nil},
		DiscoveryNoUserinfo:     {"userinfo_endpoint": nil},
		DiscoveryHMACOnly:       {"id_token_signing_alg_values_supported": []string{"HS256", "none"}},
		DiscoveryMoved:          {"token_endpoint": "https://evil.example/token"},
	}
	for sin, lie := range lies {
		if p.has(sin) {
			maps.Copy(doc, lie)
		}
	}
}
