package server_test

import (
	"net/http"
	"strings"
	"testing"
)

// spoken are names that some server, framework or front believes about the caller, and
// spellings that some server reads as one of them.
var spoken = map[string]string{
	"address": "Forwarded X-Forwarded X-Forwarded-For Forwarded-For X-Forward-For X-Forwarder-For X-Original-Forwarded-For X-ForwardedFor Client-IP X-Client-IP X-ClientIP X-Real-IP X-RealIP X-Originating-IP X-Remote-IP " +
		"X-Remote-Addr Remote-Addr X-Client-Addr X-Client-Address X-ProxyUser-Ip X-Cluster-Client-IP Fastly-Client-IP True-Client-IP X-True-Client-IP CF-Connecting-IP CF-Connecting-IPv6 CF-Pseudo-IPv4 CF-IPCountry " +
		"X-Azure-ClientIP X-Azure-SocketIP X-Appengine-User-IP X-Appengine-Remote-Addr Ali-CDN-Real-IP CDN-Src-IP X-Source-IP X-Peer-Address DO-Connecting-IP X-NF-Client-Connection-IP Fly-Client-IP " +
		"X-Vercel-Forwarded-For X-Vercel-IP-Country X-Envoy-External-Address Akamai-Client-IP WL-Proxy-Client-IP Proxy-Client-IP X-Custom-IP-Authorization X-IP IP X-IP-Address X-Coming-From Coming-From CloudFront-Viewer-Address",
	"host":   "X-Host X-Client-Host X-Origin-Host X-Orig-Host X-Override-Url X-Forwarded-Host Forwarded-Host X-Original-Host X-HTTP-Host X-HTTP-Host-Override X-Host-Override X-Real-Host X-Remote-Host X-Forwarded-Server X-Server-Name X-Hostname",
	"scheme": "X-Url-Scheme X-Scheme Scheme X-Proto X-Protocol X-Forwarded-Proto X-Forwarded-Protocol X-Forwarded-Scheme X-Forwarded-SSL X-Forwarded-Port X-HTTPS HTTPS Front-End-Https X-ARR-SSL CF-Visitor Fastly-SSL CloudFront-Forwarded-Proto WL-Proxy-SSL X-SSL X-Original-Proto X-Request-Scheme X-TLS-Version",
	"path": "X-Original-URL X-Original-URI X-Rewrite-URL X-Request-URI X-Request-URL X-URL X-URI Base-Url X-Base-Url X-Forwarded-Prefix X-Forwarded-Path X-Script-Name X-Path-Info X-Path-Override X-Envoy-Original-Path " +
		"X-HTTP-Method X-HTTP-Method-Override X-Method-Override Http-Method-Override X-Accel-Redirect X-Sendfile X-Sendfile-Type X-Middleware-Subrequest X-Proxy-Url",
	"person": "X-User User X-Remote-User Remote-User Remote-Groups Remote-Email Remote-Name X-Remote-Group X-Remote-Extra-Scopes X-Auth-User X-Auth-Username X-Auth-Request-User X-Auth-Request-Email X-Authenticated-User " +
		"X-Authenticated-UserId X-Authenticated-Scope X-WebAuth-User X-WEBAUTH-EMAIL X-Forwarded-User X-Forwarded-Email X-Forwarded-Groups X-User-Id X-User-Name X-User-Email X-User-Roles X-UserInfo X-Username X-Email X-Groups " +
		"X-Amzn-Oidc-Data X-Amzn-Oidc-Identity X-Amzn-Mtls-Clientcert X-Goog-Authenticated-User-Email X-Goog-Authenticated-User-Id X-Goog-IAP-JWT-Assertion X-MS-CLIENT-PRINCIPAL X-MS-CLIENT-PRINCIPAL-NAME X-MS-TOKEN-AAD-ID-TOKEN " +
		"Cf-Access-Jwt-Assertion Cf-Access-Authenticated-User-Email X-Consumer-Username X-Consumer-Custom-ID X-Credential-Username X-Anonymous-Consumer X-Authentik-Username OIDC-Claim-Sub Shib-Session-ID SM-User Mellon-Name " +
		"Tailscale-User-Login Tailscale-User-Name Ngrok-Auth-User-Email X-Pomerium-Jwt-Assertion X-Pomerium-Claim-Email X-Vouch-User IV-User IV-Groups " +
		"X-Endpoint-API-UserInfo X-Apigateway-Api-Userinfo X-JWT-Assertion X-Serverless-Authorization SSO-User",
	"certificate": "Peer-Cert X-Peer-Certificate X-Subject-DN X-Issuer-DN X-Distinguished-Name Client-Cert Client-Cert-Chain X-Client-Cert X-Client-Certificate X-Client-DN X-Client-Verify X-Client-CN X-SSL-Client-Cert X-SSL-Client-S-DN X-SSL-Client-Verify SSL-Client-Cert X-Forwarded-Client-Cert " +
		"X-Forwarded-Tls-Client-Cert X-ARR-ClientCert X-TLS-Client-Cert WL-Proxy-Client-Cert",
	"spelling": "Transfer---Encoding Content--Length X--Real--IP -X-Real-IP X-Real-IP- X-Tenant-Id- X--Tenant-Id - X_Real_IP X.Real.IP x-rEAL-iP X-FORWARDED-for",
}

// unspoken only share words with those, and are an application's own.
const unspoken = "X-User-Agent X-User-Agent-Extra X-User-Timezone X-User-Locale X-Tenant-Id X-Api-Version X-Api-Key X-Host-Count X-Client-Version X-Client-Name X-Client-Id X-Client-Type X-Auth-Token X-Access-Token X-CSRFToken " +
	"X-Shipping-Address X-Email-Address X-Zip X-Ship-To X-Callback-Url X-Webhook-Url X-Correlation-Id X-Session-Id X-Protocol-Version X-Path X-Goog-Api-Key X-Goog-User-Project X-Amz-Date X-Amz-User-Agent X-Hasura-Role " +
	"Destination Depth Overwrite If Lock-Token Max-Forwards From Sec-CH-UA Sec-CH-Prefers-Color-Scheme Sec-WebSocket-Foo Upgrade-Insecure-Requests Idempotency-Key Prefer Signature DPoP Last-Event-ID X-Requested-With " +
	"X-Port-Of-Loading X-Url-Count X-Origin-Country X-Subject X-Peer-Id X-Override X-Https2 X-Membership Impersonate-User X-Account-Id X-Real X-Userland X-Forwarder Grpc-Timeout Baggage"

// TestCallerHeaders: whatever a browser says about the caller's address, host, scheme,
// path or identity does not reach the API, however new the name; an application's own
// headers do.
func TestCallerHeaders(t *testing.T) {
	h := open(t, settings{})
	for kind, names := range spoken {
		var lines []string
		for name := range strings.FieldsSeq(names) {
			lines = append(lines, name+": forged")
		}
		h.want(h.call("GET /open/x", lines...), 200, "")
		for name, values := range h.api.Last(t).Header {
			if strings.Contains(strings.Join(values, " "), "forged") {
				t.Errorf("%s: API saw %s: %q", kind, name, values)
			}
		}
	}
	var lines []string
	for name := range strings.FieldsSeq(unspoken) {
		lines = append(lines, name+": kept")
	}
	h.want(h.call("GET /open/x", lines...), 200, "")
	seen := h.api.Last(t).Header
	for name := range strings.FieldsSeq(unspoken) {
		if seen.Get(name) != "kept" {
			t.Errorf("API did not see %s", http.CanonicalHeaderKey(name))
		}
	}
}

// TestPortsOfHosts: a Host whose port is none goes nowhere, least of all to the API.
func TestPortsOfHosts(t *testing.T) {
	h := open(t, settings{edit: func(s string) string {
		return replaced(s, "sessions:", "trusted_proxies: [127.0.0.1]\nsessions:")
	}})
	for _, host := range []string{"shop.example.com:65536", "shop.example.com:99999", "shop.example.com:100000", "shop.example.com:-1", "shop.example.com:8x"} {
		if got := h.raw("GET /open/x HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n", false); got.StatusCode != 400 {
			t.Errorf("Host %s: %s", host, got.Status)
		}
	}
	if h.api.Count() > 0 {
		t.Fatal("the API was called")
	}
	h.want(h.call("GET /open/x", "Host: shop.example.com:65535"), 200, "")
	if got := h.api.Last(t).Header.Get("X-Forwarded-Host"); got != "shop.example.com:65535" {
		t.Errorf("API saw X-Forwarded-Host %q", got)
	}
	h.want(h.call("GET /open/x", "X-Forwarded-Host: shop.example.com:99999"), 200, "")
	if got := h.api.Last(t).Header.Get("X-Forwarded-Host"); got != "shop.example.com" {
		t.Errorf("a front's invalid host became X-Forwarded-Host %q", got)
	}
}
