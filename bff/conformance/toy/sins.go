package toy

// helps are sins that must be there for another one to show.
var helps = map[string][]string{
	"csrf-cross-site-form": {"cookies-samesite"}, "csrf-origin-suffix": {"cookies-samesite"}, "csrf-fetch-metadata": {"cookies-samesite"}, // else no browser sends it
	"csrf-socket-cross-site": {"cookies-samesite"}, "csrf-socket-suffix": {"cookies-samesite"}, "csrf-socket-null": {"cookies-samesite"},
	"provider-state-same":  {"provider-pkce-same"}, // else PKCE stands in for it
	"sessions-resurrected": {"sessions-revoked"},   // else the renewal would be refused
	// A real browser looks at what another case breaks by the wire.
	"browser-cookie": {"cookies-httponly"}, "browser-script": {"cookies-httponly"}, "browser-bodies": {"tokens-whoami"}, "browser-second-tab": {"sessions-signout", "cookies-expired"},
	"browser-cross-site-read": {"cors-cross-site", "csrf-sibling-get", cookieForAll}, "browser-sibling-read": {"cors-sibling", "csrf-sibling-get"},
	"browser-cross-site-form": {"csrf-cross-site-form", cookieForAll}, "browser-sibling-form": {"csrf-sibling-form"}, "browser-sibling-fetch": {"csrf-sibling-fetch"},
	"browser-sibling-embed": {"csrf-image"}, "browser-cross-site-socket": {"csrf-socket-cross-site", cookieForAll}, "browser-sibling-socket": {"csrf-socket-sibling"},
	"browser-return": {"provider-return-slashes"}, "browser-login": {"csrf-login-sibling", "provider-other-browser"},
}

// cookieForAll makes the session's cookie SameSite=None: pages of other sites send it.
const cookieForAll = "cookie for all"

// alone are sins beside which nobody could sign in, or land on a page.
var alone = []string{"provider-pkce", "browser-lands"}

// hidden are sins that would hide another one: what ends no session cannot be seen to
// end it for the wrong caller.
var hidden = map[string][]string{
	"csrf-logout-image": {"sessions-signout"}, "csrf-logout-link": {"sessions-signout"}, "csrf-logout-form": {"sessions-signout"}, "csrf-logout-fetch": {"sessions-signout"},
	"people-signout": {"sessions-signout"}, "sessions-parallel": {"sessions-signout"}, "sessions-signout-twice": {"sessions-signout", "sessions-resurrected"},
	"form-failure-shown": {"form-error"}, "sessions-renewal-away": {"sessions-renewed", "provider-token-error", "provider-token-garbage"},
	"sessions-upstream-401-cookie": {"sessions-upstream-401"},
	"store-cookie":                 {"store-open"}, "store-back": {"store-open", "store-cookie", "store-call"}, "store-call": {"store-open", "store-cookie"},
	"streams-signout": {"streams-events", "sessions-signout"}, "streams-gone": {"streams-events"},
	"tokens-in-address": {"tokens-code-kept"}, "provider-return-absolute": {"tokens-code-kept"}, "provider-return-slashes": {"tokens-code-kept"},
	"provider-return-backslash": {"tokens-code-kept"}, "provider-return-control": {"tokens-code-kept"}, "provider-return-script": {"tokens-code-kept"},
	"provider-return-userinfo": {"tokens-code-kept"}, "provider-return-sibling": {"tokens-code-kept"}, "provider-return-suffix": {"tokens-code-kept"},
	"provider-logout-issuer": {"provider-logout"}, "provider-logout-audience": {"provider-logout"}, "provider-logout-event": {"provider-logout"},
	"provider-logout-nonce": {"provider-logout"}, "provider-logout-expired": {"provider-logout"}, "provider-logout-unsigned": {"provider-logout"},
	"provider-logout-hmac": {"provider-logout"}, "provider-logout-key-in-header": {"provider-logout"}, "provider-logout-signature": {"provider-logout"},
	"provider-two-tabs":     {"provider-state-same", "provider-other-browser", "provider-state", "provider-state-missing"},
	"people-cross-cookie":   {"people-first-cookie", "people-cookie-names"},
	"provider-logout-again": {"provider-logout"},
	"provider-id-future":    {"expiry-skew"}, "expiry-refused-again": {"sessions-renewed"},
	"expiry-stream": {"streams-events"}, "expiry-idle-stream": {"streams-events"},
	"browser-cross-site-read": {"cookies-secure"}, "browser-cross-site-form": {"cookies-secure"}, "browser-cross-site-socket": {"cookies-secure"}, // SameSite=None wants Secure
	"browser-return": {"tokens-code-kept"}, "browser-opener": {"tokens-code-kept"}, "browser-lands": {"tokens-code-kept", "tokens-signin", "cookies-samesite", "cookies-strict"},
}
