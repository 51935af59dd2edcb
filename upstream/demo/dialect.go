package demo

import (
	"bytes"
	"cmp"
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
	renew, code, pending         string // names of fields: refresh_token, otp, mfa_token unless said
	second                       string // where the code goes in a request of its own; "" = with the password
	form                                // of a token
	good, renewed, who           string // answers with 200; renewed is good unless said
	wrong, locked, dead, factor  answer // refusals; factor where a code is needed
}

// form is how a token is written.
type form struct {
	scheme, prefix, cookie string // in Authorization, or in a cookie of that name
	jwt                    bool   // {access} is a JWT around the token
}

type answer struct {
	status int
	body   string
	header string // "Name: value"
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

// AsksForCode reports whether that API asks people with a second factor for it.
func AsksForCode(api string) bool { return dialects[api].factor.status != 0 }

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
	d.renew, d.code, d.pending = cmp.Or(d.renew, "refresh_token"), cmp.Or(d.code, "otp"), cmp.Or(d.pending, "mfa_token")
	d.renewed = cmp.Or(d.renewed, d.good)
	return &interpreter{dialect: d, next: next, held: map[string]map[string]string{}}
}

func (i *interpreter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.carry(r)
	path := r.URL.Path
	if r.Method == http.MethodGet && path == i.user && i.user != "" {
		i.person(w, r)
		return
	}
	if path != i.logout && (r.Method != http.MethodPost || path != i.login && path != i.refresh && path != i.second) {
		i.next.ServeHTTP(w, r)
		return
	}
	in := fields(w, r)
	switch {
	case path == i.logout:
		i.ask(r, "/auth/logout", map[string]string{"refresh_token": in[i.renew] + in["token"]})
		w.WriteHeader(http.StatusNoContent)
	case path == i.refresh && (i.refresh != i.login || in["grant_type"] == "refresh_token"):
		i.say(w, i.ask(r, "/auth/refresh", map[string]string{"refresh_token": in[i.renew]}), i.renewed, i.dead)
	case in["subject_token"] != "": // RFC 8693: the same token will do for every audience
		i.refuse(w, answer{http.StatusOK, `{"access_token":"{access}","token_type":"Bearer"}`, ""}, map[string]string{"access": in["subject_token"]})
	case path == i.second && in[i.pending] != "":
		i.secondHalf(w, in)
	default:
		i.signIn(w, r, in)
	}
}

// carry puts the token of a call where the demo's own API looks for it.
func (i *interpreter) carry(r *http.Request) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), i.scheme+" ")
	if i.cookie != "" {
		c, err := r.Cookie(i.cookie)
		if ok = err == nil; ok {
			token = c.Value
		}
		r.Header.Del("Cookie")
	}
	if ok {
		r.Header.Set("Authorization", "Bearer "+i.unwrap(token))
	}
}

// secondHalf takes the code in a request of its own.
func (i *interpreter) secondHalf(w http.ResponseWriter, in map[string]string) {
	done := i.waited(in[i.pending], in[i.code] == Code)
	if done == nil {
		i.refuse(w, i.wrong, nil)
		return
	}
	i.give(w, i.good, done)
}

// signIn signs somebody in, after the code where one is needed.
func (i *interpreter) signIn(w http.ResponseWriter, r *http.Request, in map[string]string) {
	got := i.ask(r, "/auth/login", map[string]string{"email": in[i.name], "password": in[i.password]})
	if got["status"] != "200" || i.factor.status == 0 || !wantsCode(in[i.name]) || i.second == "" && in[i.code] == Code {
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
	own.Method, own.URL.Path, own.Body, own.ContentLength = http.MethodPost, path, io.NopCloser(bytes.NewReader(text)), int64(len(text))
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
		claims["username"], claims["user_id"], claims["tok"] = got["email"], got["id"], got["token"]
		got["access"] = token(claims)
	}
	if i.cookie != "" { // no body: a cookie, and where the person is
		w.Header().Set("Set-Cookie", i.cookie+"="+got["access"]+"; Path=/; HttpOnly")
		w.Header().Set("Location", "/api/me")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	i.refuse(w, answer{http.StatusOK, text, ""}, got)
}

func (i *interpreter) refuse(w http.ResponseWriter, a answer, values map[string]string) {
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	w.Header().Set("Content-Type", "application/json")
	if name, value, ok := strings.Cut(a.header, ": "); ok {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, strings.NewReplacer(pairs...).Replace(a.body))
}

// person answers where the other API describes who is signed in.
func (i *interpreter) person(w http.ResponseWriter, r *http.Request) {
	own := r.Clone(r.Context())
	own.URL.Path = "/api/me"
	i.say(w, i.pass(own), i.who, answer{http.StatusUnauthorized, `{}`, ""})
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

// fields reads a query and a body, JSON or a form, as text by name, wherever it stands.
func fields(w http.ResponseWriter, r *http.Request) map[string]string {
	all := map[string]string{}
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	forms := []string{r.URL.RawQuery}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		forms = append(forms, string(body))
	}
	for _, text := range forms {
		form, _ := url.ParseQuery(text)
		for name := range form {
			all[name] = form.Get(name)
		}
	}
	var object map[string]any
	_ = json.Unmarshal(body, &object)
	flatten(object, all)
	return all
}

func flatten(object map[string]any, all map[string]string) {
	for name, value := range object {
		switch value := value.(type) {
		case string:
			all[name] = value
		case map[string]any:
			flatten(value, all)
		}
	}
}
