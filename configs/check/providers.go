package check

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/configs/rule"
	"coatcheck/upstream/mapping"
)

// endSessionNames can stand in a sign-out address.
var endSessionNames = []string{"client_id", "post_logout_redirect_uri", "id_token", "logout_hint", "state"}

// providers checks each provider.
func (ck providerCheck) providers() {
	for _, name := range slices.Sorted(maps.Keys(ck.Config.Providers)) {
		path, p := child("providers", name), ck.Config.Providers[name]
		if !rule.IsLabel(name) {
			ck.Refuse(path, "the name of a provider has letters, digits, \".\", \"_\" and \"-\", at most 64", "")
		}
		ck.whereProvider(path, p)
		ck.provesItself(path, p)
		ck.asksFor(path, p)
		ck.admits(path, p)
		ck.reachesProvider(path, p)
		ck.unwiseProvider(path, p)
		ck.boundAt(path, name, p)
		if !slices.ContainsFunc(ck.Frontends(), func(f *configs.Frontend) bool { return slices.Contains(f.Login.Provider, name) }) && !ck.presentsTokens(name) {
			ck.Warn(path, "no frontend signs people in at this provider", "frontends.*.login.provider: "+name)
		}
	}
}

// whereProvider checks that addresses are discovered, or said, and not both.
func (ck providerCheck) whereProvider(path string, p *configs.Provider) {
	said := map[string]string{"authorization": p.Authorization, "token": p.Token, "revocation": p.Revocation}
	if p.HasIssuer() {
		for _, key := range slices.Sorted(maps.Keys(said)) {
			if said[key] != "" {
				ck.Refuse(child(path, key), "addresses of a provider with an issuer are discovered", "remove it, or the issuer")
			}
		}
		ck.issuer(child(path, "issuer"), p)
	} else {
		for _, key := range []string{"authorization", "token"} {
			if said[key] == "" {
				ck.Refuse(child(path, key), "a provider has an issuer, or authorization and token", "issuer: https://id.example.net")
				return
			}
		}
		if p.User == nil {
			ck.Refuse(child(path, "user"), "without an issuer nothing says who signed in", "user: {url: https://api.example.net/user, subject: /id}")
		}
		for key, value := range said {
			ck.providerURL(child(path, key), value, p)
		}
		for key, given := range map[string]bool{"userinfo": p.Userinfo, "par": p.PAR == "required", "audiences": len(p.Audiences) > 0, "nonce": !p.ChecksNonce()} {
			if given {
				ck.Refuse(child(path, key), "a provider without an issuer has no ID tokens and no metadata", "remove it, or name the issuer")
			}
		}
	}
	if u := p.User; u != nil {
		if p.IsOpenID() {
			ck.Warn(child(path, "user"), "never asked: the ID token says who signed in", "userinfo: true")
		}
		bare, query, _ := strings.Cut(u.URL, "?") // some say only what they are asked for: ?fields=id,name
		if strings.Contains(query, "#") {
			bare = u.URL
		}
		ck.providerURL(child(path, "user", "url"), bare, p)
		ck.Pointer(child(path, "user", "at"), u.At)
		ck.Pointer(child(path, "user", "subject"), u.Subject)
	}
	ck.endSession(child(path, "end_session"), p)
}

// issuer checks an issuer (OpenID Connect Discovery 1.0 §4.1); it is never changed,
// because it is compared byte for byte with what the provider writes.
func (ck providerCheck) issuer(path string, p *configs.Provider) {
	ck.providerURL(path, p.Issuer, p)
	if strings.Contains(p.Issuer+"/", "/.well-known/") {
		ck.Refuse(path, "this is the address of the metadata, not the issuer", "what stands in front of /.well-known/")
	}
	if rule.IsSharedTenant(p.Issuer) {
		ck.Refuse(path, "no token is issued by this: each tenant has an issuer of its own", "https://login.microsoftonline.com/<tenant id>/v2.0")
	}
}

// providerURL checks an address of the provider's and returns its host.
func (ck providerCheck) providerURL(path, value string, p *configs.Provider) string {
	if u, err := url.Parse(value); err == nil && (u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		ck.Refuse(path, "must not contain a user name, query or fragment", "client_id, client_secret and authorize are keys of their own")
		return ""
	}
	host := ck.URL(path, value)
	if host == "" || !strings.HasPrefix(value, "http://") || rule.IsLoopback(host) {
		return host
	}
	if !p.InsecureHTTP {
		ck.Refuse(path, "codes, tokens and secrets would be sent unencrypted", "https://, or insecure_http: true where the network itself is private")
		return host
	}
	ck.Warn(path, "codes, tokens and secrets are sent unencrypted", "https://")
	return host
}

// endSession checks the sign-out address that is configured.
func (ck providerCheck) endSession(path string, p *configs.Provider) {
	if p.EndSession == "" {
		return
	}
	for _, name := range mapping.NewTemplate(p.EndSession).Names() {
		if !slices.Contains(endSessionNames, name) {
			ck.Refuse(path, ck.Braced(path, name)+" is not known here", "known: "+strings.Join(endSessionNames, ", "))
		}
	}
	bare, query, _ := strings.Cut(p.EndSession, "?")
	if ck.providerURL(path, bare, p); strings.Contains(query, "#") {
		ck.Refuse(path, "must not contain a fragment", "")
	}
}

// provesItself checks that the client has at most one proof of who it is.
func (ck providerCheck) provesItself(path string, p *configs.Provider) {
	var proofs []string
	for key, given := range map[string]bool{
		"client_secret": !p.ClientSecret.IsEmpty(), "client_assertion": p.ClientAssertion.Path != "",
		"client_key": p.ClientKey != "" && p.ClientCert == "", "client_cert": p.ClientCert != "",
	} {
		if given {
			proofs = append(proofs, key)
		}
	}
	slices.Sort(proofs)
	switch {
	case len(proofs) > 1:
		ck.Refuse(child(path, proofs[1]), "a client proves itself in one way, and "+proofs[0]+" is there already", "")
	case len(proofs) == 0:
		ck.Warn(path, "a client without a proof is public: whoever has a code could redeem it, were it not for PKCE", "client_secret, client_key or client_assertion")
	}
	ck.Complain(child(path, "client_id"), rule.ClientText(p.ClientID))
	if at := child(path, "client_secret"); p.ClientSecret.IsEmpty() && ck.Config.Source.Has(at) {
		ck.Refuse(at, "empty: without a secret the client is public", "remove the key where that is meant")
	} else {
		ck.Complain(at, rule.ClientText(p.ClientSecret.Reveal()))
	}
	if p.ClientCert != "" && p.ClientKey == "" {
		ck.Refuse(child(path, "client_cert"), "client_cert and client_key must be set together", "")
	}
	if p.ClientKeyID != "" && (p.ClientKey == "" || p.ClientCert != "") {
		ck.Refuse(child(path, "client_key_id"), "a key id belongs to a client_key that signs assertions", "")
	}
	if p.ClientAuth != "auto" && p.ClientSecret.IsEmpty() {
		ck.Refuse(child(path, "client_auth"), "this says how a client_secret is sent, and there is none", "")
	}
}

// signInAtProvider checks what a frontend says of its providers.
func (ck frontendCheck) signInAtProvider(path string, f *configs.Frontend) {
	for i, name := range f.Login.Provider {
		at := child(path, "provider")
		if ck.Config.Source.Has(item(at, i)) {
			at = item(at, i)
		}
		if ck.Config.Providers[name] == nil {
			ck.Refuse(at, "there is no provider "+ck.Quote(at, name), ck.Suggest(at, name, slices.Sorted(maps.Keys(ck.Config.Providers))))
		}
	}
	if f.Login.ErrorPath != "" {
		at := child(path, "error_path")
		switch {
		case len(f.Login.Provider) == 0:
			ck.Refuse(at, "this is the page of a failed sign-in at a provider, and there is none", "provider: …")
		case !ck.Complain(at, rule.Path(f.Login.ErrorPath)) && strings.HasPrefix(f.Login.ErrorPath+"/", "/bff/"):
			ck.Refuse(at, "/bff/ is reserved for Coatcheck", "/login")
		}
	}
}
