package provider

// Sin is one rule that the provider breaks. Where the OpenID Foundation's conformance
// suite has a test of a relying party for it, the sin has that test's name.
type Sin string

// Sins of ID tokens.
const (
	NonceInvalid      Sin = "oidcc-client-test-nonce-invalid"
	NonceMissing      Sin = "nonce-missing"
	InvalidIss        Sin = "oidcc-client-test-invalid-iss"
	MissingAud        Sin = "oidcc-client-test-missing-aud"
	InvalidAud        Sin = "oidcc-client-test-invalid-aud"
	ExtraAud          Sin = "aud-names-somebody-else-too"
	ExtraAudNoAzp     Sin = "aud-names-somebody-else-too-without-azp"
	OtherAzp          Sin = "azp-is-somebody-else"
	MissingSub        Sin = "oidcc-client-test-missing-sub"
	EmptySub          Sin = "sub-empty"
	MissingIat        Sin = "oidcc-client-test-missing-iat"
	FutureIat         Sin = "iat-in-the-future"
	MissingExp        Sin = "exp-missing"
	Expired           Sin = "expired"
	NotYet            Sin = "nbf-in-the-future"
	InvalidAtHash     Sin = "oidcc-client-test-invalid-athash"
	InvalidSigRS256   Sin = "oidcc-client-test-invalid-sig-rs256"
	InvalidSigES256   Sin = "oidcc-client-test-invalid-sig-es256"
	InvalidSigHS256   Sin = "oidcc-client-test-invalid-sig-hs256"
	SigNone           Sin = "oidcc-client-test-idtoken-sig-none"
	SignedRS256       Sin = "oidcc-client-test-idtoken-sig-rs256"
	SignedES256       Sin = "idtoken-sig-es256"
	SignedPS256       Sin = "idtoken-sig-ps256"
	SignedEdDSA       Sin = "idtoken-sig-eddsa"
	HMACWithPublicKey Sin = "sig-hs256-with-the-public-key"
	HMACWithSecret    Sin = "sig-hs256-with-the-client-secret"
	AlgUnannounced    Sin = "alg-not-announced"
	KeyInHeader       Sin = "sig-by-a-key-in-the-header"
	KidAbsentSingle   Sin = "oidcc-client-test-kid-absent-single-jwks"
	KidAbsentMultiple Sin = "oidcc-client-test-kid-absent-multiple-jwks"
	KidUnknown        Sin = "kid-unknown"
	KeyForEncryption  Sin = "key-is-for-encryption"
	WeakKey           Sin = "rsa-key-of-1024-bits"
	AuthTimeMissing   Sin = "auth-time-missing"
	AuthTimeOld       Sin = "auth-time-older-than-max-age"
	OtherACR          Sin = "acr-is-another"
	MissingIDToken    Sin = "id-token-missing"
	GarbageIDToken    Sin = "id-token-garbage"
	NotYetByMinutes   Sin = "nbf-two-minutes-ahead"
	SubTwice          Sin = "sub-again-in-capitals"
	AuthTimeFuture    Sin = "auth-time-in-the-future"
	TypLogoutToken    Sin = "typ-of-a-logout-token"
	TypAccessToken    Sin = "typ-of-an-access-token"
	TypNumber         Sin = "typ-is-a-number"
	TypProof          Sin = "typ-of-a-proof"
	IatText           Sin = "iat-is-text"
	ExpText           Sin = "exp-is-text"
	NbfText           Sin = "nbf-is-text"
	AuthTimeText      Sin = "auth-time-is-text"
	EmptyAtHash       Sin = "at-hash-empty"
	TypUnheardOf      Sin = "typ-that-nobody-knows"
	TypAbsent         Sin = "typ-absent"
	TypInFull         Sin = "typ-with-application"
	CritEmpty         Sin = "crit-empty"
	WithEvents        Sin = "events-in-an-id-token"
	LineBreak         Sin = "line-break-behind-the-token"
	AMRText           Sin = "amr-is-text"
	RotatedJustBefore Sin = "oidcc-client-test-signing-key-rotation-just-before-signing"
)

// Sins of refreshed ID tokens.
const (
	RefreshInvalidIssuer Sin = "oidcc-client-test-refresh-token-invalid-issuer"
	RefreshInvalidSub    Sin = "oidcc-client-test-refresh-token-invalid-sub"
	RefreshInvalidAud    Sin = "oidcc-client-test-refresh-token-invalid-aud"
	RefreshInvalidAzp    Sin = "oidcc-client-test-refresh-token-invalid-azp"
	RefreshOtherNonce    Sin = "refreshed-nonce-is-another"
	RefreshNoIDToken     Sin = "refreshed-without-id-token"
	RefreshNoRotation    Sin = "refreshed-without-refresh-token"
	RefreshUnbound       Sin = "refreshed-token-is-bearer"
	RefreshThrottled     Sin = "refresh-throttled"
	RefreshGrant503      Sin = "refresh-invalid-grant-with-503"
	RefreshInteraction   Sin = "refresh-interaction-required"
)

// Sins of metadata and keys.
const (
	DiscoveryIssuerMismatch Sin = "oidcc-client-test-discovery-issuer-mismatch"
	DiscoveryIssuerSlash    Sin = "discovery-issuer-with-a-slash-more"
	DiscoveryPlainEndpoint  Sin = "discovery-http-endpoint"
	DiscoveryPrivate        Sin = "discovery-private-endpoint"
	DiscoveryMetadataHost   Sin = "discovery-link-local-endpoint"
	DiscoveryUserInfo       Sin = "discovery-endpoint-with-a-user-name"
	DiscoveryFragment       Sin = "discovery-endpoint-with-a-fragment"
	DiscoveryScript         Sin = "discovery-endpoint-is-javascript"
	DiscoveryHuge           Sin = "discovery-huge"
	DiscoveryRedirect       Sin = "discovery-redirect"
	DiscoveryGarbage        Sin = "discovery-garbage"
	DiscoveryNoToken        Sin = "discovery-without-token-endpoint"
	DiscoveryNoUserinfo     Sin = "discovery-without-userinfo-endpoint"
	DiscoveryHMACOnly       Sin = "discovery-with-hmac-only"
	DiscoveryMoved          Sin = "discovery-endpoint-moved"
	DiscoveryAway           Sin = "discovery-503"
	KeysHuge                Sin = "keys-huge"
	KeysRedirect            Sin = "keys-redirect"
	KeysGarbage             Sin = "keys-garbage"
	KeysTooMany             Sin = "keys-too-many"
	KeysAway                Sin = "keys-503"
	KeysUnparseable         Sin = "oidcc-client-test-ignores-unparseable-key-in-jwks"
	KeysPrivate             Sin = "keys-private"
	KeysForOthers           Sin = "keys-for-other-operations"
)

// Sins of the other endpoints.
const (
	ResponseIssOther       Sin = "authorization-response-iss-is-another"
	ResponseIssMissing     Sin = "authorization-response-iss-missing"
	ResponseDenied         Sin = "authorization-response-access-denied"
	ResponseTemporarily    Sin = "authorization-response-temporarily-unavailable"
	ResponseServerError    Sin = "authorization-response-server-error"
	TokenGarbage           Sin = "token-endpoint-garbage"
	TokenHTML              Sin = "token-endpoint-html"
	TokenForm              Sin = "token-endpoint-form"
	TokenError500          Sin = "token-endpoint-500"
	TokenError200          Sin = "token-endpoint-error-with-status-200"
	TokenErrorText         Sin = "token-endpoint-error-with-hostile-description"
	TokenRedirect          Sin = "token-endpoint-redirect"
	TokenHuge              Sin = "token-endpoint-huge"
	TokenTypeOther         Sin = "token-type-mac"
	TokenUnbound           Sin = "token-type-bearer-although-dpop"
	TokenBoundUnasked      Sin = "token-type-dpop-although-nobody-asked"
	IDTokenUnasked         Sin = "id-token-although-nobody-asked"
	TokenMissing           Sin = "access-token-missing"
	TokenUnsendable        Sin = "access-token-with-a-line-break"
	TokenNoExpiry          Sin = "expires-in-missing"
	TokenTextExpiry        Sin = "expires-in-is-text"
	TokenInCapitals        Sin = "token-in-capitals"
	TokenAbsurdExpiry      Sin = "expires-in-absurd"
	UserinfoInvalidSub     Sin = "oidcc-client-test-userinfo-invalid-sub"
	UserinfoMissingSub     Sin = "userinfo-missing-sub"
	UserinfoTrailing       Sin = "userinfo-with-more-behind-it"
	UserinfoGarbage        Sin = "userinfo-garbage"
	UserinfoError          Sin = "userinfo-403"
	PushedRefused          Sin = "par-refused"
	PushedWithoutReference Sin = "par-without-request-uri"
	RevocationError        Sin = "revocation-500"
	ExchangeRefused        Sin = "token-exchange-invalid-target"
)

// Commit makes the provider break exactly these rules from now on.
func (p *Provider) Commit(sins ...Sin) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sins = map[Sin]bool{}
	for _, s := range sins {
		p.sins[s] = true
	}
}

// has reports whether the provider breaks a rule now.
func (p *state) has(s Sin) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sins[s]
}

// first returns the first of list that the provider commits; "" for none.
func (p *state) first(list ...Sin) Sin {
	for _, s := range list {
		if p.has(s) {
			return s
		}
	}
	return ""
}
