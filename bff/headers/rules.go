// Package headers says which headers pass between a browser and an API: tables of what
// never does, with the reason beside each row, and a judgement of names by their words.
package headers

// rule keeps a header from being passed on, and says why. A name that ends in "*"
// stands for all that begin with what is before it.
type rule struct{ name, why string }

// hopByHop belong to one connection (RFC 9110 §7.6.1); both directions, and 101.
var hopByHop = []rule{
	{"connection", "RFC 9110 §7.6.1"},
	{"keep-alive", "RFC 9110 §7.6.1"},
	{"proxy-connection", "RFC 9110 §7.6.1: never a standard, still sent"},
	{"te", "RFC 9110 §10.1.4"},
	{"trailer", "RFC 9110 §6.6.2: trailers are framed anew"},
	{"transfer-encoding", "RFC 9112 §6.1: bodies are framed anew"},
	{"upgrade", "RFC 9110 §7.8: only websocket, made anew; h2c smuggling"},
	{"content-length", "RFC 9112 §6.2: bodies are framed anew"},
}

// toAPI is what a browser's request does not carry to an API.
var toAPI = []rule{
	{"host", "the upstream's own"},
	{"expect", "RFC 9110 §10.1.1: answered by the gate"},
	{"cookie", "holds the ticket; the API knows no cookie of ours"},
	{"cookie2", "as cookie (RFC 2965)"},
	{"authorization", "the API's token, if any, takes its place"},
	{"x-csrf", "meant for the guard"},
	{"x-xsrf-token", "meant for the guard"},
	{"x-frontend", "meant for the choice of the frontend"},
	{"origin", "the API is not called by a page"},
	{"referer", "the page's address does not concern the API"},
	{"sec-fetch-*", "meant for the guard"},
	{"forwarded", "RFC 7239: anyone can write it"},
	{"x-forwarded-*", "rebuilt; what came in is anyone's invention"},
	{"x-http-method*", "method override: past the route's methods"},
	{"x-method-override", "method override: past the route's methods"},
	{"x-real-*", "address spoofing; GHSA-gcfq-8gqf-4876"},
	{"x-originating-*", "address spoofing"},
	{"true-client-*", "Akamai's and Cloudflare's word for the address"},
	{"cf-*", "Cloudflare's word for the address, the scheme and the person"},
	{"fastly-*", "Fastly's word for the address and the scheme"},
	{"fly-*", "Fly's word for the address"},
	{"akamai-*", "Akamai's word for the caller"},
	{"x-akamai-*", "Akamai's word for the caller"},
	{"cloudfront-*", "CloudFront's word for the address and the scheme"},
	{"x-appengine-*", "App Engine's word for the address and the person"},
	{"x-azure-*", "Azure Front Door's word for the address"},
	{"x-envoy-*", "Envoy's word for the address and the path, and orders to it"},
	{"x-vercel-ip-*", "Vercel's word for the address"},
	{"wl-proxy-*", "WebLogic's word for the address and the certificate"},
	{"x-original-*", "path override in IIS, Symfony: CVE-2018-14773"},
	{"x-rewrite-*", "path override: CVE-2018-14773"},
	{"x-accel-*", "nginx's internal redirects"},
	{"x-sendfile*", "which file a server answers with (Rack, Apache)"},
	{"x-middleware-*", "Next.js: CVE-2025-29927"},
	{"x-custom-ip-authorization", "address spoofing"},
	{"x-amzn-oidc-*", "AWS load balancer's word for the person"},
	{"x-amzn-mtls-*", "AWS load balancer's word for the client's certificate"},
	{"x-goog-iap-*", "Google's word for the person"},
	{"x-ms-client-principal*", "Azure's word for the person"},
	{"x-ms-token-*", "Azure's word for the person's tokens"},
	{"x-apigateway-*", "Google API Gateway's word for the person"},
	{"x-endpoint-api-*", "Google Endpoints' word for the person"},
	{"x-serverless-authorization", "Cloud Run takes it in place of Authorization"},
	{"x-authentik-*", "authentik's word for the person"},
	{"x-consumer-*", "Kong's word for the person"},
	{"x-credential-*", "Kong's word for the person"},
	{"x-anonymous-consumer", "Kong's word for nobody"},
	{"oidc-*", "mod_auth_openidc's word for the person"},
	{"shib-*", "Shibboleth's word for the person"},
	{"mellon-*", "mod_auth_mellon's word for the person"},
	{"sm-*", "SiteMinder's word for the person"},
	{"iv-*", "WebSEAL's word for the person"},
	{"tailscale-*", "Tailscale's word for the person"},
	{"ngrok-*", "ngrok's word for the person"},
	{"x-pomerium-*", "Pomerium's word for the person"},
	{"x-vouch-*", "Vouch's word for the person"},
	{"x-request-id", "ours"},
	{"via", "RFC 9110 §7.6.3: not ours to vouch for"},
	{"proxy", "httpoxy: CVE-2016-5385"},
	{"proxy-*", "RFC 9110 §11.7: for the next hop only"},
	{"http2-settings", "h2c smuggling"},
	{"coatcheck-*", "ours"},
}

// toBrowser is what an API's answer does not carry to a browser.
var toBrowser = []rule{
	{"set-cookie", "the API's cookies would live on the frontend's site"},
	{"set-cookie2", "as set-cookie"},
	{"access-control-*", "who may read an answer is Coatcheck's decision"},
	{"cross-origin-resource-policy", "set anew"},
	{"x-content-type-options", "set anew"},
	{"www-authenticate", "a browser would ask for a password in a box of its own"},
	{"proxy-authenticate", "RFC 9110 §11.7: for the next hop only"},
	{"proxy-authentication-info", "RFC 9110 §11.7: for the next hop only"},
	{"strict-transport-security", "the frontend's own"},
	{"clear-site-data", "would sign siblings out (Chromium clears the whole site)"},
	{"alt-svc", "would lead the frontend's origin elsewhere"},
	{"service-worker-allowed", "would widen a worker's reach"},
	{"refresh", "a redirect in disguise"},
	{"nel", "reports about the frontend to the API's address"},
	{"report-to", "as nel"},
	{"reporting-endpoints", "as nel"},
	{"speculation-rules", "the API would make the browser call"},
	{"secure-session-*", "device bound sessions are between browser and Coatcheck"},
	{"public-key-pins*", "would pin keys for the frontend's host"},
	{"coatcheck-*", "only ours may say so"},
	{"x-request-id", "ours"},
	{"x-accel-*", "instructions to a reverse proxy"},
	{"x-sendfile", "instructions to a reverse proxy"},
	{"date", "ours, as at nginx: a gateway answers in its own name (RFC 9110 §6.6.1)"},
	{"server", "what the API is built with"},
	{"x-powered-by", "what the API is built with"},
}

// ordinary are names that nearly every call or answer has. None is held back unless a
// table or the configuration says so; they are listed so that no rule has to be asked.
var ordinary = []string{
	"accept", "accept-encoding", "accept-language", "cache-control", "content-encoding", "content-language", "content-type", "dnt", "if-match", "if-modified-since",
	"if-none-match", "if-range", "last-event-id", "pragma", "priority", "range", "sec-ch-ua", "sec-ch-ua-mobile", "sec-ch-ua-platform", "sec-gpc", "upgrade-insecure-requests",
	"user-agent", "x-requested-with",
	"accept-ranges", "age", "content-disposition", "content-location", "content-range", "etag", "expires", "last-modified", "link", "location", "retry-after", "vary",
}
