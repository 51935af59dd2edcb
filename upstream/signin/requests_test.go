package signin_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"coatcheck/upstream/mapping"
)

// What goes out, written as the API sees it.
func TestRequest(t *testing.T) {
	const rest = "\n  credential: {access_token: /token}\n"
	for name, c := range map[string]struct {
		login        string // of login.request
		uri, body    string
		header, send map[string]string
	}{
		"bytes as written": {
			login: `{path: "/a/b:c/", body: {e: "{email}", p: "{password}"}}`,
			uri:   "/a/b:c/", body: `{"e":"ada@x.test","p":"pw"}`,
			header: map[string]string{"Content-Type": "application/json", "User-Agent": "Coatcheck", "Accept": "application/json",
				"X-Request-Id": "req-1", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "shop.example.com", "X-Forwarded-Proto": "https", "Authorization": ""},
		},
		"escaped path": {login: `{path: /a%3Bb%20c, body: {e: "{email}", p: "{password}"}}`, uri: "/a%3Bb%20c"},
		"query": {
			login: `{path: /l, query: {k: "a&b=c d", who: "{email}", none: "{otp}"}, body: {p: "{password}"}}`,
			uri:   "/l?k=a%26b%3Dc+d&who=ada%40x.test",
		},
		"path segment": {login: `{path: "/u/{email}/x", body: {p: "{password}"}}`, uri: "/u/ada@x.test/x"},
		"types and nesting": {
			login: `{path: /l, body: {n: 1, f: 1.5, t: true, z: null, l: [1, "{email}", "{otp}"], o: {p: "{password}", x: "{otp}"}, q: "mutation($x: X){login(p: \"{password}\")}", h: "<&>"}}`,
			body:  `{"f":1.5,"h":"<&>","l":[1,"ada@x.test"],"n":1,"o":{"p":"pw"},"q":"mutation($x: X){login(p: \"{password}\")}","t":true,"z":null}`,
		},
		"form": {
			login:  `{path: /l, encoding: form, body: {e: "{email}", p: "{password}", n: 1, t: true, z: null, o: "{otp}", l: [a, b]}}`,
			body:   "e=ada%40x.test&l=a&l=b&n=1&p=pw&t=true",
			header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
		},
		"client in basic": {
			login:  `{path: /l, basic: ["a:b", "c d+"], body: {e: "{email}", p: "{password}"}}`,
			header: map[string]string{"Authorization": "Basic YSUzQWI6YytkJTJC"}, // a%3Ab:c+d%2B
		},
		"person in basic": {
			login:  `{method: GET, path: /l, basic: ["{email}", "{password}"]}`,
			header: map[string]string{"Authorization": "Basic YWRhQHgudGVzdDpwdw=="}, // as typed
		},
		"own headers win": {
			login: `{path: /l, headers: {accept: text/plain, Content-Type: application/x-amz-json-1.1, User-Agent: mine, X-Ip: "{client_address}", X-Ua: "{user_agent}", X-Rid: "{request_id}", X-Otp: "{otp}", X-Who: "<{email}>"}, body: {p: "{password}"}}`,
			header: map[string]string{"Accept": "text/plain", "Content-Type": "application/x-amz-json-1.1", "User-Agent": "mine",
				"X-Ip": "203.0.113.9", "X-Ua": "UA/1", "X-Rid": "req-1", "X-Otp": "", "X-Who": "<ada@x.test>"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			u, api := oneAPI(t, "login:\n  request: "+c.login+rest, reply{status: 200, body: `{"token":"a"}`})
			if _, err := signIn(u); err != nil {
				t.Fatal(err)
			}
			q := api.questions()[0]
			if c.uri != "" && q.uri != c.uri {
				t.Errorf("asked %s, want %s", q.uri, c.uri)
			}
			if c.body != "" && strings.TrimSpace(string(q.body)) != c.body {
				t.Errorf("said %s, want %s", q.body, c.body)
			}
			for name, want := range c.header {
				if got := q.header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}

// A request without a body has no Content-Type: some servers refuse an empty JSON.
func TestRequestWithoutBody(t *testing.T) {
	u, api := oneAPI(t, plain, reply{status: 204})
	if err := u.SignOut(t.Context(), holding("access_token", "a"), browser()); err != nil {
		t.Fatal(err)
	}
	q := api.questions()[0]
	if len(q.body) != 0 || q.header.Get("Content-Type") != "" || q.header.Get("Authorization") != "Bearer a" || q.method != "POST" {
		t.Errorf("asked %s with %v", q.method, q.header)
	}
}

// A request says how long its body is, also where it has none: some servers refuse a
// chunked POST, and with it a sign-out.
func TestRequestSaysItsLength(t *testing.T) {
	for name, c := range map[string]struct {
		request, method string
		length          string // "" where a method without a body says nothing
	}{
		"POST":        {"{path: /logout}", "POST", "Content-Length: 0"},
		"PUT":         {"{method: PUT, path: /logout}", "PUT", "Content-Length: 0"},
		"PATCH":       {"{method: PATCH, path: /logout}", "PATCH", "Content-Length: 0"},
		"DELETE":      {"{method: DELETE, path: /logout}", "DELETE", ""},
		"GET":         {"{method: GET, path: /logout}", "GET", ""},
		"empty form":  {"{path: /logout, encoding: form, body: {a: null}}", "POST", "Content-Length: 0"},
		"empty JSON":  {"{path: /logout, body: {}}", "POST", "Content-Length: 2"},
		"with a form": {"{path: /logout, encoding: form, body: {a: b}}", "POST", "Content-Length: 3"},
		"GET, a body": {"{method: GET, path: /logout, body: {a: 1}}", "GET", "Content-Length: 7"},
	} {
		t.Run(name, func(t *testing.T) {
			heads := make(chan string, 1)
			api := rawAPI(t, func(c net.Conn) {
				heads <- headOf(c)
				_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			})
			text := strings.Replace(strings.TrimSpace(plain), "{path: /logout}", c.request, 1)
			cfg := parseMapping(t, "api:\n  url: https://api.example.net\n  "+strings.ReplaceAll(text, "\n", "\n  "))
			cfg["api"].URL = "http://" + api
			u := newSet(t, cfg).Get("api")
			if err := u.SignOut(t.Context(), holding("access_token", "a"), browser()); err != nil {
				t.Fatal(err)
			}
			head := <-heads
			if !strings.HasPrefix(head, c.method+" /logout ") || strings.Contains(head, "Transfer-Encoding") || c.length == "" && strings.Contains(head, "Content-Length") || !strings.Contains(head, c.length+"\r\n") {
				t.Errorf("asked:\n%s", head)
			}
		})
	}
}

// headOf reads a request's head.
func headOf(c net.Conn) string {
	var head strings.Builder
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			return head.String()
		}
	}
}

// What a person types is text, whatever it looks like, and goes on unchanged.
func TestPasswordGoesOnUnchanged(t *testing.T) {
	for _, password := range []string{"\x01{\"$ne\":null}", "\x01[1]", `{"a":1}`, "{email}", "null", "12", " a ", "é\u2028<&>", `"\`} {
		u, api := oneAPI(t, plain, reply{status: 200, body: `{"token":"a"}`})
		if _, err := u.Ways.SignIn(t.Context(), secrets("email", "e", "password", password), browser(), now); err != nil {
			t.Fatal(err)
		}
		body, _ := api.questions()[0].asJSON(t).(map[string]any)
		if body["password"] != password {
			t.Errorf("password %q went on as %#v", password, body["password"])
		}
	}
}

// The mark of a typed value means nothing in what a person types.
func TestFieldsHaveNoType(t *testing.T) {
	u, api := oneAPI(t, "login:\n  request: {path: /l, query: {q: \"{email}\"}, basic: [\"{email}\", \"{password}\"]}\n  credential: {access_token: /token}\n",
		reply{status: 200, body: `{"token":"a"}`})
	if _, err := u.Ways.SignIn(t.Context(), secrets("email", "\x01[1]", "password", "\x01true"), browser(), now); err != nil {
		t.Fatal(err)
	}
	q := api.questions()[0]
	if q.uri != "/l?q=%01%5B1%5D" || q.header.Get("Authorization") != "Basic AVsxXToBdHJ1ZQ==" {
		t.Errorf("asked %s with %s", q.uri, q.header.Get("Authorization"))
	}
}

// A page cannot speak for the address, the browser or the request's name.
func TestBuiltInNamesAreNoFields(t *testing.T) {
	const text = `
login:
  request: {path: /login, headers: {X-Ip: "{client_address}"}, body: {e: "{email}", p: "{password}"}}
  credential: {access_token: /token}
`
	u, api := oneAPI(t, text, reply{status: 200, body: `{"token":"a"}`})
	fields := person()
	fields["client_address"] = secrets("x", "10.0.0.1")["x"]
	caller := mapping.Caller{Address: netip.MustParseAddr("::ffff:203.0.113.9"), UserAgent: "a\r\nX-Evil: 1"}
	if _, err := u.Ways.SignIn(t.Context(), fields, caller, now); err != nil {
		t.Fatal(err)
	}
	h := api.questions()[0].header
	if h.Get("X-Ip") != "203.0.113.9" || h.Get("X-Forwarded-For") != "203.0.113.9" || h.Get("X-Forwarded-Host") != "" {
		t.Errorf("address is %q", h.Get("X-Ip"))
	}
}

// What a person types cannot end a header, a cookie or a path. Such a name no
// account has, and the API is not asked.
func TestFieldsStayWhereTheyArePut(t *testing.T) {
	for name, c := range map[string]struct {
		request, email string
		asked          bool
	}{
		"header":              {`{path: /l, headers: {X: "{email}"}, body: {p: "{password}"}}`, "a\r\nX-Evil: 1", false},
		"header, not ASCII":   {`{path: /l, headers: {X: "{email}"}, body: {p: "{password}"}}`, "é b", true},
		"cookie":              {`{path: /l, headers: {Cookie: "a={email}"}, body: {p: "{password}"}}`, "a;admin=1", false},
		"dot segment":         {`{path: "/u/{email}/x", body: {p: "{password}"}}`, "..", false},
		"dot with parameter":  {`{path: "/u/{email}/x", body: {p: "{password}"}}`, "..;x", false},
		"slash":               {`{path: "/u/{email}", body: {p: "{password}"}}`, "../admin", false},
		"colon in basic":      {`{path: /l, basic: ["{email}", "{password}"]}`, "a:b", false},
		"question in path":    {`{path: "/u/{email}", body: {p: "{password}"}}`, "a?b#c", true},
		"control byte in URL": {`{path: "/u/{email}", body: {p: "{password}"}}`, "a\x00b", false},
		"query":               {`{path: /l, query: {q: "{email}"}, body: {p: "{password}"}}`, "a&b=c\r\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			u, api := oneAPI(t, "login:\n  request: "+c.request+"\n  credential: {access_token: /token}\n", reply{status: 200, body: `{"token":"a"}`})
			_, err := u.Ways.SignIn(t.Context(), secrets("email", c.email, "password", "pw"), browser(), now)
			var refusal *mapping.Refusal
			if c.asked != (err == nil) || !c.asked && (!errors.As(err, &refusal) || refusal.Meaning != mapping.InvalidCredentials) {
				t.Fatalf("got %v", err)
			}
			if len(api.questions()) != map[bool]int{true: 1}[c.asked] {
				t.Fatal("the API was asked")
			}
			if c.asked && api.questions()[0].header.Get("X-Evil") != "" {
				t.Fatal("a header came in")
			}
		})
	}
}

// Values of an answer keep their JSON type on their way back.
func TestTypesAreKept(t *testing.T) {
	const text = `
login:
  request: {path: /login, body: {email: "{email}", password: "{password}"}}
  credential: {access_token: /token, refresh_token: /refresh, n: /n, b: /b, o: /o, s: /s, mark: /mark}
logout:
  request: {path: "/u/{n}/out", query: {b: "{b}"}, body: {n: "{n}", b: "{b}", o: "{o}", s: "{s}", mark: "{mark}", none: "{refresh_token}"}}
`
	body := `{"b":true,"mark":"\u0001[1]","n":12345678901234567890,"o":{"x":[1,null]},"s":"5"}`
	u, api := oneAPI(t, text, reply{status: 200, body: `{"token":7,` + body[1:]})
	in, err := signIn(u)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.SignOut(t.Context(), in.Credential, browser()); err != nil {
		t.Fatal(err)
	}
	q := api.questions()[1]
	if strings.TrimSpace(string(q.body)) != body || q.uri != "/u/12345678901234567890/out?b=true" || q.header.Get("Authorization") != "Bearer 7" {
		t.Errorf("asked %s with %s", q.uri, q.body)
	}
}

// A request can go to another upstream: its host and its TLS, this one's `send`.
func TestOtherUpstream(t *testing.T) {
	api, id := newStandIn(t, reply{status: 200, body: `{"id":1}`}), newStandIn(t, reply{status: 200, body: `{"token":"a"}`})
	cfg := parseMapping(t, `api:
  url: https://api.example.net/base
  send: {headers: {apikey: K, Authorization: "Bearer {access_token}"}}
  login: {request: {upstream: id, path: /token, body: {e: "{email}", p: "{password}"}}, credential: {access_token: /token}, user: {from: request, path: /me}}
  logout: {request: {upstream: id, path: /out}}
id:
  url: https://id.example.net`)
	api.at(cfg["api"]).URL += "/base/"
	id.at(cfg["id"])
	u := newSet(t, cfg).Get("api")
	in, err := signIn(u)
	if err != nil || in.Subject != "1" {
		t.Fatal(in, err)
	}
	if err := u.SignOut(t.Context(), in.Credential, browser()); err != nil {
		t.Fatal(err)
	}
	first, last, me := id.questions()[0], id.questions()[1], api.questions()[0]
	if first.uri != "/token" || first.header.Get("Apikey") != "K" || first.header.Get("Authorization") != "" {
		t.Errorf("sign-in asked %s with %v", first.uri, first.header)
	}
	if last.uri != "/out" || last.header.Get("Authorization") != "Bearer a" {
		t.Errorf("sign-out asked %s with %v", last.uri, last.header)
	}
	if me.uri != "/base/me" || me.header.Get("Authorization") != "Bearer a" || me.header.Get("Apikey") != "K" {
		t.Errorf("user asked %s with %v", me.uri, me.header)
	}
}
