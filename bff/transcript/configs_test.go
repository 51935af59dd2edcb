package transcript_test

import "strings"

// sameOrigin is the layout in which pages and calls share a host.
const sameOrigin = `
listen: "127.0.0.1:0"
health_path: /healthz
admin: {listen: "127.0.0.1:0", token: admin-token}
drain: {delay: 0s, timeout: 60s}
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}/base"
    private_paths: [/internal]
    send:
      headers: {Authorization: "Bearer {access_token}", X-Api-Key: constant}
      hide: [X-Hidden]
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      answers:
        - {status: 403, at: /code, is: MFA, means: mfa_required}
        - {status: 403, at: /code, is: LOCKED, means: account_locked}
        - {status: 403, at: /code, is: DISABLED, means: account_disabled}
        - {status: 403, at: /code, is: UNVERIFIED, means: account_unverified}
        - {status: 403, at: /code, is: OLD, means: password_expired}
        - {status: 422, at: /errors, means: invalid_fields}
        - {at: /mfa_token, step: otp}
      rejected: [401]
      credential: {access_token: /access_token, refresh_token: /refresh_token, expires_in: /expires_in}
      user: {from: response, at: /user, subject: /id}
      steps:
        otp: {fields: [otp], keep: {mfa_token: /mfa_token}, request: {path: /mfa, body: {token: "{mfa_token}", code: "{otp}"}}}
    refresh:
      request: {path: /refresh, body: {refresh_token: "{refresh_token}"}}
      rejected: [401]
      before: 30s
    logout: {request: {path: /logout, body: {refresh_token: "{refresh_token}"}}}
  other: {url: "${OTHER}"}
  nobody: {url: "${NOBODY}"}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id, name]}
    throttle: {account: 3, address: 100, window: 5m}
    routes:
      - {path: /api/, upstream: api, rewrite: /v1/}
      - {path: /whole/, upstream: api, encoded_slash: pass, methods: [GET]}
      - {path: /open/, upstream: api, session: none}
      - {path: /root/, upstream: api, rewrite: /, session: none}
      - {path: /maybe/, upstream: api, session: optional}
      - {path: /ws/, upstream: api, websocket: true, methods: [GET]}
      - {path: /documents/, upstream: api, isolate: false, session: none}
      - {path: /hooks/, upstream: api, methods: [POST], session: none, guard: false}
      - {path: /small/, upstream: api, session: none, max_body: 10}
      - {path: /slow/, upstream: api, session: none, header_timeout: 300ms}
      - {path: /other/, upstream: other}
      - {path: /gone/, upstream: nobody, session: none}
`

// sharedHost is the layout in which frontends on subdomains call one host; another two
// live at one origin, by path.
const sharedHost = `
listen: "127.0.0.1:0"
trusted_proxies: [127.0.0.0/8]
admin: {listen: "127.0.0.1:0"}
drain: {delay: 0s, timeout: 60s}
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /access_token}
      user: {from: response, at: /user, subject: /id}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    host: bff.example.com
    hsts: 0s
    cookie: {persistent: true, same_site: lax}
    login: {upstream: api, fields: [email, password], expose: [id]}
    csrf_header: "off"
    cors: {allow_headers: [X-Shop-Version], expose_headers: [X-Total-Count]}
    routes:
      - {path: /api/, upstream: api}
      - {path: /open/, upstream: api, session: none}
  admin:
    origins: ["https://admin.example.com"]
    host: bff.example.com
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes:
      - {path: /api/, upstream: api}
      - {path: /hooks/, upstream: api, session: none, guard: false, methods: [POST]}
  left:
    origins: ["https://both.example.com"]
    base_path: /left
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api, session: none, rewrite: /}]
  right:
    origins: ["https://both.example.com"]
    base_path: /right
    login: {upstream: api, fields: [email, password], expose: [id]}
    routes: [{path: /api/, upstream: api, session: none}]
`

// withPages serves an application too.
const withPages = `
listen: "127.0.0.1:0"
admin: {listen: "127.0.0.1:0"}
drain: {delay: 0s, timeout: 60s}
sessions: {store: "${STORE}", keys: ["${KEY}"]}
upstreams:
  api:
    url: "${API}"
    login:
      request: {path: /login, body: {email: "{email}", password: "{password}"}}
      credential: {access_token: /access_token}
      user: {from: response, at: /user, subject: /id}
frontends:
  shop:
    origins: ["https://shop.example.com"]
    login: {upstream: api, fields: [email, password], expose: [id]}
    spa: {dir: "${PAGES}"}
    routes: [{path: /api/, upstream: api}]
`

// changed is a configuration with other lines: old, new, old, new…
func changed(config string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(config, pairs[i]) {
			panic("the configuration has no " + pairs[i])
		}
		config = strings.Replace(config, pairs[i], pairs[i+1], 1)
	}
	return config
}

// Answers of the APIs.
const (
	plain = `
HTTP/1.1 200 OK
Content-Type: text/plain
Content-Length: {length}

hello`
	refused = `
HTTP/1.1 401 Unauthorized
Content-Type: application/json
Content-Length: {length}

{"error":"stale"}`
	signedIn = `
HTTP/1.1 200 OK
Content-Type: application/json
Content-Length: {length}

{"access_token":"token-1","refresh_token":"refresh-1","expires_in":3600,"user":{"id":"ada","name":"Ada","private":"x"}}`
	nothing = `
HTTP/1.1 204 No Content`
)

// Requests of the frontend's pages.
const (
	login = `
POST /bff/login HTTP/1.1
Host: shop.example.com
Origin: https://shop.example.com
Sec-Fetch-Site: same-origin
X-CSRF: 1
User-Agent: Browser/1
Content-Type: application/json
Content-Length: {length}

{"email":"ada@example.com","password":"s3cret"}`
	logout = `
POST /bff/logout HTTP/1.1
Host: shop.example.com
Origin: https://shop.example.com
X-CSRF: 1
Cookie: {__Host-Http-shop}
Content-Length: 0`
	whoami = `
GET /bff/session HTTP/1.1
Host: shop.example.com
Sec-Fetch-Site: same-origin
Cookie: {__Host-Http-shop}`
	getThing = `
GET /api/thing HTTP/1.1
Host: shop.example.com
Sec-Fetch-Site: same-origin
Cookie: {__Host-Http-shop}`
)

// signIn signs Ada in without a trace in the transcript but one remark.
func (p *play) signIn() {
	p.t.Helper()
	p.api.on("POST /base/login", signedIn)
	p.api.on("POST /login", signedIn)
	before := len(p.blocks)
	p.call("", login)
	p.blocks = append(p.blocks[:before], block{heading: "Ada is signed in"})
}
