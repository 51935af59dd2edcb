package demo

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// dialect is how another API spells signing in: paths, names and answers. In answers
// {access}, {refresh}, {email}, {id}, {name}, {ms}, {s}, {jwt} and {mfa} are replaced.
type dialect struct {
	login, refresh, logout, user string // paths; "" = there is none
	name, password               string // of the login request's fields
	scheme, prefix               string // how a token stands in Authorization
	jwt                          bool   // {access} is a JWT around the token
	good, renewed, who           string // answers with 200
	wrong, locked, dead, factor  answer // refusals; factor where a code is wanted
	step                         bool   // the code comes in a request of its own, with {mfa}
}

type answer struct {
	status int
	body   string
}

// dialects are the APIs that the demo can stand in for.
var dialects = map[string]dialect{
	"lexik": {login: "/api/login_check", refresh: "/api/token/refresh", logout: "/api/token/invalidate", name: "username", password: "password",
		scheme: "Bearer", jwt: true, good: `{"token":"{access}","refresh_token":"{refresh}"}`, renewed: `{"token":"{access}","refresh_token":"{refresh}"}`,
		wrong: answer{401, `{"code":401,"message":"Invalid credentials."}`}, locked: answer{401, `{"code":401,"message":"Account is locked."}`},
		dead: answer{401, `{"code":401,"message":"JWT Refresh Token Not Found"}`}},
	"drf_token": {login: "/dj-rest-auth/login/", logout: "/dj-rest-auth/logout/", user: "/dj-rest-auth/user/", name: "username", password: "password",
		scheme: "Token", good: `{"key":"{access}"}`, who: `{"pk":"{id}","username":"{name}","email":"{email}"}`,
		wrong: answer{400, `{"non_field_errors":["Unable to log in with provided credentials."]}`}, locked: answer{400, `{"non_field_errors":["User account is disabled."]}`}},
	"sanctum": {login: "/sanctum/token", logout: "/api/logout", user: "/api/user", name: "email", password: "password",
		scheme: "Bearer", prefix: "7|", good: `{access}`, who: `{"id":"{id}","name":"{name}","email":"{email}"}`,
		wrong:  answer{422, `{"message":"The provided credentials are incorrect.","errors":{"email":["The provided credentials are incorrect."]}}`},
		locked: answer{422, `{"message":"The account is locked.","errors":{"email":["The account is locked."]}}`}},
	"directus": {login: "/auth/login", refresh: "/auth/refresh", logout: "/auth/logout", user: "/users/me", name: "email", password: "password", scheme: "Bearer",
		good:    `{"data":{"access_token":"{access}","expires":{ms},"refresh_token":"{refresh}"}}`,
		renewed: `{"data":{"access_token":"{access}","expires":{ms},"refresh_token":"{refresh}"}}`,
		who:     `{"data":{"id":"{id}","email":"{email}","first_name":"{name}","last_name":""}}`,
		wrong:   answer{401, `{"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}`},
		locked:  answer{401, `{"errors":[{"message":"User suspended.","extensions":{"code":"USER_SUSPENDED"}}]}`},
		dead:    answer{401, `{"errors":[{"message":"Invalid user credentials.","extensions":{"code":"INVALID_CREDENTIALS"}}]}`},
		factor:  answer{401, `{"errors":[{"message":"Invalid user OTP.","extensions":{"code":"INVALID_OTP"}}]}`}},
	"auth0": {login: "/oauth/token", refresh: "/oauth/token", logout: "/oauth/revoke", name: "username", password: "password", scheme: "Bearer", step: true,
		good:    `{"access_token":"{access}","refresh_token":"{refresh}","id_token":"{jwt}","expires_in":{s},"token_type":"Bearer"}`,
		renewed: `{"access_token":"{access}","refresh_token":"{refresh}","expires_in":{s},"token_type":"Bearer"}`,
		wrong:   answer{403, `{"error":"invalid_grant","error_description":"Wrong email or password."}`},
		locked:  answer{403, `{"error":"unauthorized","error_description":"user is blocked"}`},
		dead:    answer{403, `{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}`},
		factor:  answer{403, `{"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"{mfa}"}`}},
}

// Speaks lists the APIs that the demo can stand in for, sorted.
func Speaks() []string {
	var names []string
	for name := range dialects {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// interpreter answers as another API does, and lets the demo's own API do the work.
type interpreter struct {
	dialect
	next http.Handler
	mu   sync.Mutex
	held map[string]map[string]string // sign-ins that wait for a code, by mfa token
}

// speak puts an interpreter in front of an API, where name is one that [Speaks] lists.
func speak(name string, next http.Handler) http.Handler {
	d, ok := dialects[name]
	if !ok {
		return next
	}
	return &interpreter{dialect: d, next: next, held: map[string]map[string]string{}}
}

func (i *interpreter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), i.scheme+" "); ok {
		r.Header.Set("Authorization", "Bearer "+i.unwrap(token))
	}
	if r.Method == http.MethodGet && r.URL.Path == i.user && i.user != "" {
		i.person(w, r)
		return
	}
	if r.Method != http.MethodPost || r.URL.Path != i.login && r.URL.Path != i.refresh && r.URL.Path != i.logout {
		i.next.ServeHTTP(w, r)
		return
	}
	in := fields(w, r)
	switch {
	case r.URL.Path == i.logout:
		token := in["refresh_token"] + in["token"]
		i.ask(r, "/auth/logout", map[string]string{"refresh_token": token})
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == i.refresh && (i.refresh != i.login || in["grant_type"] == "refresh_token"):
		i.say(w, i.ask(r, "/auth/refresh", map[string]string{"refresh_token": in["refresh_token"]}), i.renewed, i.dead)
	default:
		i.signIn(w, r, in)
	}
}

// signIn signs somebody in, after the code where one is wanted.
func (i *interpreter) signIn(w http.ResponseWriter, r *http.Request, in map[string]string) {
	if i.step && in["mfa_token"] != "" {
		done := i.waited(in["mfa_token"], in["otp"] == Code)
		if done == nil {
			i.refuse(w, i.wrong, nil)
			return
		}
		i.give(w, i.good, done)
		return
	}
	got := i.ask(r, "/auth/login", map[string]string{"email": in[i.name], "password": in[i.password]})
	if got["status"] != "200" || i.factor.status == 0 || !wantsCode(in[i.name]) || !i.step && in["otp"] == Code {
		i.say(w, got, i.good, i.wrong)
		return
	}
	i.refuse(w, i.factor, map[string]string{"mfa": i.hold(got)})
}

// wantsCode tells people with a second factor.
func wantsCode(email string) bool {
	return slices.ContainsFunc(People(), func(p Person) bool { return p.SecondFactor && strings.EqualFold(p.Email, email) })
}

// mostHeld bounds the sign-ins that wait for a code.
const mostHeld = 100

func (i *interpreter) hold(got map[string]string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.held) >= mostHeld {
		clear(i.held)
	}
	token := rand.Text()
	i.held[token] = got
	return token
}

// waited takes a sign-in that waited, if the code was right.
func (i *interpreter) waited(token string, right bool) map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	got := i.held[token]
	if right {
		delete(i.held, token)
		return got
	}
	return nil
}

// ask puts a question to the demo's own API.
func (i *interpreter) ask(r *http.Request, path string, body map[string]string) map[string]string {
	text, _ := json.Marshal(body) // a map of text: cannot fail
	own := r.Clone(r.Context())
	own.URL.Path, own.Body, own.ContentLength = path, io.NopCloser(bytes.NewReader(text)), int64(len(text))
	own.Header.Set("Content-Type", "application/json")
	return i.pass(own)
}

// pass lets the demo's own API answer, and flattens what it says.
func (i *interpreter) pass(r *http.Request) map[string]string {
	recorded := &recorder{header: http.Header{}, status: http.StatusOK}
	i.next.ServeHTTP(recorded, r)
	var said struct {
		Access  string          `json:"access_token"`
		Refresh string          `json:"refresh_token"`
		In      json.Number     `json:"expires_in"`
		User    json.RawMessage `json:"user"`
	}
	_ = json.Unmarshal(recorded.Bytes(), &said)
	if len(said.User) == 0 {
		said.User = recorded.Bytes()
	}
	var person struct{ ID, Email, Name string }
	_ = json.Unmarshal(said.User, &person)
	status, _ := json.Marshal(recorded.status)
	return map[string]string{"status": string(status), "token": said.Access, "refresh": said.Refresh, "s": said.In.String(), "ms": said.In.String() + "000",
		"id": person.ID, "email": person.Email, "name": person.Name}
}

// recorder keeps an answer.
type recorder struct {
	bytes.Buffer
	header http.Header
	status int
}

func (r *recorder) Header() http.Header    { return r.header }
func (r *recorder) WriteHeader(status int) { r.status = status }

// say turns what the demo's own API said into an answer of the other.
func (i *interpreter) say(w http.ResponseWriter, got map[string]string, good string, refused answer) {
	switch got["status"] {
	case "200":
		i.give(w, good, got)
	case "403":
		i.refuse(w, i.locked, nil)
	case "401":
		i.refuse(w, refused, nil)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

func (i *interpreter) give(w http.ResponseWriter, text string, got map[string]string) {
	claims := map[string]any{"sub": got["id"], "email": got["email"], "name": got["name"], "exp": time.Now().Add(DefaultTokenLifetime).Unix()}
	got["jwt"] = token(claims)
	got["access"] = i.prefix + got["token"]
	if i.jwt {
		claims["username"], claims["tok"] = got["email"], got["token"]
		got["access"] = token(claims)
	}
	i.refuse(w, answer{http.StatusOK, text}, got)
}

func (i *interpreter) refuse(w http.ResponseWriter, a answer, values map[string]string) {
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, strings.NewReplacer(pairs...).Replace(a.body))
}

// person answers where the other API describes who is signed in.
func (i *interpreter) person(w http.ResponseWriter, r *http.Request) {
	own := r.Clone(r.Context())
	own.URL.Path = "/api/me"
	i.say(w, i.pass(own), i.who, answer{http.StatusUnauthorized, `{}`})
}

// token makes an unsigned JWT.
func token(claims map[string]any) string {
	text, _ := json.Marshal(claims) // text and a number: cannot fail
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
}

// unwrap finds the demo's own token in the other API's.
func (i *interpreter) unwrap(text string) string {
	text = strings.TrimPrefix(text, i.prefix)
	if !i.jwt {
		return text
	}
	parts := strings.Split(text, ".")
	var claims struct{ Tok string }
	if len(parts) == 3 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(payload, &claims)
	}
	return claims.Tok
}

// fields reads a body, JSON or a form, as text.
func fields(w http.ResponseWriter, r *http.Request) map[string]string {
	all := map[string]string{}
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if form, err := url.ParseQuery(string(body)); err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		for name := range form {
			all[name] = form.Get(name)
		}
		return all
	}
	var object map[string]any
	_ = json.Unmarshal(body, &object)
	for name, value := range object {
		all[name], _ = value.(string)
	}
	return all
}
