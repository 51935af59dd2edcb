package toy

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const maxFailures = 10

// cookieName is that of a frontend's session.
func (y *Toy) cookieName(frontend string) string {
	if y.on("people-cookie-names") {
		frontend = "shop"
	}
	if y.on("cookies-prefix") || y.on("cookies-tossing") {
		return frontend
	}
	return "__Host-" + frontend
}

// attributes of a cookie, but for the sins among group-secure, -httponly, -samesite, -domain.
func (y *Toy) attributes(group, sameSite string) string {
	text := "; Path=/"
	if !y.on(group + "-httponly") {
		text += "; HttpOnly"
	}
	if !y.on(group + "-secure") {
		text += "; Secure"
	}
	if !y.on(group + "-samesite") {
		text += "; SameSite=" + sameSite
	}
	if y.on(group + "-domain") {
		text += "; Domain=example.com"
	}
	return text
}

func (c accountCall) setTicket(ticket string) {
	sameSite := "Strict"
	if c.y.on("cookies-strict") {
		sameSite = "Lax"
	}
	c.w.Header().Add("Set-Cookie", c.y.cookieName(c.name)+"="+ticket+c.y.attributes("cookies", sameSite))
	if c.y.on("cookies-size") {
		c.w.Header().Add("Set-Cookie", "wide="+strings.Repeat("x", 5000)+"; Path=/; Secure; HttpOnly; SameSite=Strict")
	}
}

func (c accountCall) clearTicket() {
	text := c.y.cookieName(c.name) + "=; Max-Age=0" + c.y.attributes("cookies", "Strict")
	c.w.Header().Add("Set-Cookie", text)
}

// newTicket is the secret of a session.
func (c accountCall) newTicket() string {
	if old := cmp.Or(c.presented(), c.carried); old != "" && c.y.on("cookies-fixation") {
		return old
	}
	if c.y.on("cookies-entropy") {
		return hex.EncodeToString([]byte(random()[:5]))
	}
	return random()
}

// presented is the ticket that came, whatever it opens.
func (c accountCall) presented() string {
	name := c.y.cookieName(c.name)
	if c.name == "admin" && !c.y.shared && c.y.on("people-first-cookie") {
		c.y.mu.Lock()
		defer c.y.mu.Unlock()
		return c.y.first
	}
	if c.y.on("people-first-cookie") {
		for _, k := range c.r.Cookies() {
			if strings.HasSuffix(k.Name, "shop") || strings.HasSuffix(k.Name, "admin") {
				return k.Value
			}
		}
	}
	if k, err := c.r.Cookie(name); err == nil {
		return k.Value
	}
	if c.y.on("cookies-address") {
		return c.queryValue(name)
	}
	return ""
}

func (c accountCall) queryValue(name string) string {
	for pair := range strings.SplitSeq(c.query, "&") {
		if n, value, _ := strings.Cut(pair, "="); n == name {
			return value
		}
	}
	return ""
}

// open finds the session of a call; what remains nil is nobody.
func (c accountCall) open() error {
	c.ticket = c.presented()
	if c.ticket == "" {
		return nil
	}
	c.ticket = c.y.repaired(c.ticket)
	s, err := c.y.store.get(c.ticket)
	if err != nil {
		return err
	}
	if s != nil && s.Frontend != c.name && !c.y.on("people-cross-cookie") && !c.y.on("people-first-cookie") && !c.y.on("people-forwarded-host") {
		s = nil
	}
	c.session = s
	return nil
}

// repaired is the ticket that a sin takes a damaged one for.
func (y *Toy) repaired(ticket string) string {
	y.store.mu.Lock()
	defer y.store.mu.Unlock()
	for known := range y.store.memory {
		n := len(known) - 4
		if n < 4 || len(ticket) < n || ticket[:n] != known[:n] {
			continue
		}
		if len(ticket) == n && y.on("cookies-cut") || len(ticket) > n && y.on("cookies-changed") {
			return known
		}
	}
	return ticket
}

// start stores a session and sets its cookie.
func (c accountCall) start(s *session) bool {
	s.Frontend, s.Made = c.name, time.Now()
	old := cmp.Or(c.presented(), c.carried)
	ticket := c.newTicket()
	if err := c.y.store.put(ticket, s); err != nil {
		if c.y.on("store-signin") {
			c.setTicket(ticket)
		}
		c.away()
		return false
	}
	if old != "" && old != ticket && !c.y.on("sessions-replaced") {
		_ = c.y.store.drop(old)
	}
	c.y.mu.Lock()
	if c.y.first == "" {
		c.y.first = ticket
	}
	c.y.mu.Unlock()
	c.setTicket(ticket)
	c.noStore("caching-signin")
	return true
}

func (c accountCall) noStore(sin string) {
	policy := "no-store"
	if c.y.on(sin) {
		policy = "max-age=600"
	}
	c.w.Header().Set("Cache-Control", policy)
}

// away answers while the store is.
func (c accountCall) away() {
	c.w.Header().Set("Retry-After", "5")
	c.refuse(503, "store_unavailable")
}

var errRefused = errors.New("refused")

// login signs in by form.
func (c accountCall) login() {
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.limit()))
	if c.method == "GET" {
		body = []byte(`{"email":"` + c.queryValue("email") + `","password":"` + c.queryValue("password") + `"}`)
	}
	if err != nil {
		c.refuse(413, "body_too_large")
		return
	}
	if kind := c.r.Header.Get("Content-Type"); kind != "application/json" && c.method == "POST" && !c.y.on("form-content-type") && !c.y.on("csrf-login-sibling") {
		c.refuse(415, "unsupported_media_type")
		return
	}
	if c.y.on("tokens-logged-password") {
		c.y.note(string(body))
	}
	in, ok := c.fields(body)
	if !ok {
		c.refuse(400, "bad_request")
		return
	}
	c.ask(in, body)
}

func (c accountCall) limit() int64 {
	if c.y.on("form-large") {
		return 64 << 20
	}
	return 8 << 10
}

type fields struct{ Email, Password string }

// fields reads exactly two strings.
func (c accountCall) fields(body []byte) (in fields, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	if !c.y.on("form-extra") {
		d.DisallowUnknownFields()
	}
	if strings.Count(string(body), `"email"`) > 1 && !c.y.on("form-twice") {
		return in, false
	}
	if err := d.Decode(&in); err != nil {
		return in, c.y.on("form-kind") && json.Valid(body)
	}
	return in, true
}

// ask asks the API, unless there were too many failures.
func (c accountCall) ask(in fields, raw []byte) {
	who := strings.ToLower(in.Email)
	if c.y.on("form-throttle-case") {
		who = in.Email
	}
	if from := c.r.Header.Get("X-Forwarded-For"); from != "" && c.y.on("form-throttle-address") {
		who += from
	}
	c.y.mu.Lock()
	tries := c.y.failures[who]
	c.y.mu.Unlock()
	if tries >= maxFailures && !c.y.on("form-throttle") {
		c.refuse(429, "too_many_attempts")
		return
	}
	body, _ := json.Marshal(map[string]string{"email": in.Email, "password": in.Password})
	if c.y.on("form-extra") || c.y.on("form-kind") || c.y.on("form-twice") {
		body = raw
	}
	s, text, err := c.y.signIn(body)
	c.settle(in, who, s, text, err)
}

func (c accountCall) settle(in fields, who string, s *session, text string, err error) {
	switch {
	case errors.Is(err, errRefused):
		c.y.mu.Lock()
		c.y.failures[who]++
		c.y.mu.Unlock()
		c.failed(in)
	case err != nil:
		c.noStore("")
		if c.y.on("form-failure-shown") {
			c.w.WriteHeader(502)
			_, _ = io.WriteString(c.w, text)
			return
		}
		c.refuse(502, "upstream_invalid")
	default:
		if c.start(s) {
			c.document(s, text)
		}
	}
}

// failed answers a wrong password.
func (c accountCall) failed(in fields) {
	if c.y.on("form-failure-cookie") {
		c.setTicket(random())
	}
	status, code := 401, "invalid_credentials"
	if c.y.on("form-who") && in.Email != "ada@id.test" {
		code = "unknown_account"
	}
	if c.y.on("form-echo") {
		code += " " + in.Password
	}
	if c.y.on("form-status") {
		status = 200
	}
	c.refuse(status, code)
}

// signIn asks the API for tokens.
func (y *Toy) signIn(body []byte) (*session, string, error) {
	client := *y.client
	if y.on("form-redirect") {
		client.CheckRedirect = nil
	}
	got, err := client.Post(y.w.API.URL()+"/auth/login", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err.Error(), err
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	switch {
	case got.StatusCode == 401:
		return nil, "", errRefused
	case got.StatusCode == 500 && y.on("form-error"), got.StatusCode == 200 && len(text) > 0 && text[0] != '{' && y.on("form-garbage"):
		return &session{Email: "nobody"}, "", nil
	case got.StatusCode != 200:
		return nil, string(text), errors.New("status")
	}
	s, err := y.read(text)
	return s, string(text), err
}

// read takes the tokens out of an answer.
func (y *Toy) read(text []byte) (*session, error) {
	var doc struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Expires int64  `json:"expires_in"`
		User    struct{ ID, Email string }
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Access == "" && !y.on("form-empty-token") || strings.ContainsAny(doc.Access, "\r\n") && !y.on("form-token-line") {
		return nil, errors.New("unusable token")
	}
	return &session{Email: doc.User.Email, Subject: doc.User.ID, Access: doc.Access, Refresh: doc.Refresh, Ends: time.Now().Unix() + doc.Expires}, nil
}

// document tells the page who is signed in.
func (c accountCall) document(s *session, answer string) {
	doc := map[string]any{"user": map[string]string{"email": s.Email, "id": s.Subject}}
	if c.y.on("tokens-signin") {
		doc["access"] = s.Access
	}
	if c.y.on("tokens-surplus") {
		doc["answer"] = json.RawMessage(answer)
	}
	c.w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(c.w).Encode(doc)
}

// me tells who is signed in.
func (c accountCall) me() {
	if err := c.open(); err != nil {
		if c.y.on("store-whoami") {
			_, _ = io.WriteString(c.w, `{"authenticated":false}`)
			return
		}
		c.away()
		return
	}
	c.noStore("caching-whoami")
	if c.session == nil {
		_, _ = io.WriteString(c.w, `{"authenticated":false}`)
		return
	}
	doc := map[string]any{"user": map[string]string{"email": c.session.Email}}
	if c.y.on("tokens-whoami") {
		doc["access_token"] = c.session.Access
	}
	if c.y.on("cookies-in-body") {
		doc["session"] = c.ticket
	}
	if c.y.on("tokens-refresh-whoami") {
		doc["refresh"] = c.session.Refresh
	}
	if c.y.on("tokens-id-token") {
		doc["id_token"] = c.session.IDToken
	}
	_ = json.NewEncoder(c.w).Encode(doc)
}

// logout ends the session.
func (c accountCall) logout() {
	site := c.r.Header.Get("Sec-Fetch-Site")
	if c.method != "POST" {
		image := c.r.Header.Get("Sec-Fetch-Dest") == "image" && c.y.on("csrf-logout-image")
		link := c.r.Header.Get("Sec-Fetch-Mode") == "navigate" && site != "none" && c.y.on("csrf-logout-link")
		if !image && !link {
			c.refuse(405, "method_not_allowed")
			return
		}
	}
	if err := c.open(); err != nil {
		if c.y.on("store-signout") {
			c.w.WriteHeader(204)
			return
		}
		c.away()
		return
	}
	if c.session == nil && c.y.on("sessions-signout-twice") {
		c.refuse(500, "internal")
		return
	}
	if c.session != nil {
		c.end()
	}
	if !c.y.on("cookies-expired") {
		c.clearTicket()
	}
	c.noStore("caching-signout")
	c.w.WriteHeader(204)
}

func (c accountCall) end() {
	keys := []string{c.y.store.key(c.ticket)}
	if c.y.on("sessions-parallel") || c.y.on("people-signout") {
		who := c.session.Email
		keys = append(keys, c.y.store.of(func(s *session) bool { return s.Email == who })...)
	}
	if !c.y.on("sessions-signout") {
		for _, key := range slices.Compact(keys) {
			_ = c.y.store.dropKey(key)
		}
	}
	c.y.cut(keys)
	if c.y.on("sessions-revoked") {
		return
	}
	if c.y.form {
		_, _ = c.y.client.Post(c.y.w.API.URL()+"/auth/logout", "application/json", strings.NewReader(`{}`))
		return
	}
	relying{c.y}.revoke(c.session.Refresh)
}
