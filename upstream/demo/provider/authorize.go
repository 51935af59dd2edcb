package provider

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is an authorization request under way.
type request struct {
	client    *Client
	redirect  string
	state     string
	scope     string
	nonce     string
	challenge string
	mode      string
	acr       []string
	prompt    []string
	maxAge    time.Duration // negative: not asked
	hint      string
}

// session is a browser's session at the provider.
type session struct {
	id, subject string
	at          time.Time
	clients     []string
}

const sessionCookie = "provider-session"

// authorize is where a client sends its browser. What is wrong with client or redirect
// URI is shown to the person; everything else goes back to the client (RFC 6749 §4.1.2.1).
func (p signIns) authorize(w http.ResponseWriter, r *http.Request) {
	if r.ParseForm() != nil {
		p.page(w, http.StatusBadRequest, sheet{Title: "This link is broken", Text: "The request cannot be read."})
		return
	}
	q, complaint := p.resolve(r.Form)
	if q == nil {
		p.page(w, http.StatusBadRequest, sheet{Title: "This link is broken", Text: complaint})
		return
	}
	if complaint != "" {
		p.back(w, r, q, url.Values{"error": {"invalid_request"}, "error_description": {complaint}})
		return
	}
	s, known := p.sessionOf(r)
	fresh := known && (q.maxAge < 0 || p.now().Sub(s.at) <= q.maxAge) && !slices.Contains(q.prompt, "login") && !slices.Contains(q.prompt, "select_account")
	switch {
	case fresh:
		p.note(s.id, "authorize", q.challenge)
		p.grant(w, r, q, s)
	case slices.Contains(q.prompt, "none"):
		p.back(w, r, q, url.Values{"error": {"login_required"}})
	default:
		p.ask(w, http.StatusOK, q, "")
	}
}

// resolve reads a request, a pushed one by its reference. Without a client and a
// registered redirect URI there is none.
func (p signIns) resolve(form url.Values) (q *request, complaint string) {
	if uri := form.Get("request_uri"); uri != "" {
		p.mu.Lock()
		defer p.mu.Unlock()
		pushed, known := p.requests.get(uri, p.now())
		p.requests.drop(uri)
		if !known || pushed.client.ID != form.Get("client_id") {
			return nil, "The reference to the request is unknown or was used."
		}
		return &pushed, ""
	}
	return p.parse(form)
}

func (p signIns) parse(form url.Values) (*request, string) {
	for name, values := range form {
		if len(values) > 1 {
			return nil, "The parameter " + strconv.Quote(name) + " is set twice."
		}
	}
	c := p.registered(form.Get("client_id"))
	if c == nil {
		return nil, "The client is unknown."
	}
	if !slices.Contains(c.RedirectURIs, form.Get("redirect_uri")) {
		return nil, "The redirect URI is not registered."
	}
	q := &request{client: c, redirect: form.Get("redirect_uri"), state: form.Get("state"), scope: form.Get("scope"), nonce: form.Get("nonce"),
		challenge: form.Get("code_challenge"), mode: form.Get("response_mode"), acr: strings.Fields(form.Get("acr_values")),
		prompt: strings.Fields(form.Get("prompt")), maxAge: -1, hint: form.Get("login_hint")}
	if text := form.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return q, "max_age is not a number"
		}
		q.maxAge = time.Duration(seconds) * time.Second
	}
	switch {
	case form.Get("response_type") != "code":
		return q, "response_type is not code"
	case len(q.challenge) != 43 || form.Get("code_challenge_method") != "S256":
		return q, "code_challenge with S256 is needed"
	case q.mode != "" && q.mode != "query" && q.mode != "form_post":
		return q, "response_mode is unknown"
	}
	return q, ""
}

// ask shows the sign-in page.
func (p signIns) ask(w http.ResponseWriter, status int, q *request, complaint string) {
	handle := random()
	p.mu.Lock()
	p.requests.put(handle, *q, p.now(), requestLife)
	p.mu.Unlock()
	s := sheet{Title: "Sign in", Text: "to go on to " + q.client.title(), Request: handle, Email: q.hint, Complaint: complaint, Action: p.base + "/signin", Note: p.options.Note}
	if p.options.FillIn {
		p.fillIn(&s)
	}
	p.page(w, status, s)
}

// signIn takes the page's form.
func (p signIns) signIn(w http.ResponseWriter, r *http.Request) {
	handle := r.PostFormValue("request")
	p.mu.Lock()
	q, known := p.requests.get(handle, p.now())
	p.requests.drop(handle)
	p.mu.Unlock()
	if !known {
		p.page(w, http.StatusBadRequest, sheet{Title: "This page is too old", Text: "Go back to the application and sign in again."})
		return
	}
	if r.PostFormValue("cancel") != "" {
		p.back(w, r, &q, url.Values{"error": {"access_denied"}, "error_description": {"the person pressed cancel"}})
		return
	}
	who := p.match(r.PostFormValue("email"), r.PostFormValue("password"))
	if who == nil {
		q.hint = r.PostFormValue("email")
		p.ask(w, http.StatusUnauthorized, &q, "Wrong e-mail address or password.")
		return
	}
	s := session{id: random(), subject: who.Subject, at: p.now()}
	p.mu.Lock()
	p.sessions.put(s.id, s, p.now(), sessionLife)
	p.mu.Unlock()
	p.note(s.id, "authorize", q.challenge)
	p.note(s.id, "sign-in", "")
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: s.id, Path: p.base + "/", HttpOnly: true, Secure: p.isHTTPS(), SameSite: http.SameSiteLaxMode})
	p.grant(w, r, &q, s)
}

func (p signIns) match(email, password string) *Person {
	var found *Person
	for i := range p.options.People {
		who := &p.options.People[i]
		if subtle.ConstantTimeCompare([]byte(who.Password), []byte(password)) == 1 && strings.EqualFold(who.Email, email) {
			found = who
		}
	}
	return found
}

func (p *state) sessionOf(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return session{}, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sessions.get(cookie.Value, p.now())
}

// grant makes a code and sends the browser back with it.
func (p signIns) grant(w http.ResponseWriter, r *http.Request, q *request, s session) {
	switch p.first(ResponseDenied, ResponseTemporarily, ResponseServerError) {
	case ResponseDenied:
		p.back(w, r, q, url.Values{"error": {"access_denied"}, "error_description": {hostile}})
		return
	case ResponseTemporarily:
		p.back(w, r, q, url.Values{"error": {"temporarily_unavailable"}})
		return
	case ResponseServerError:
		p.back(w, r, q, url.Values{"error": {"server_error"}, "error_description": {hostile}})
		return
	}
	g := grant{client: q.client.ID, subject: s.subject, session: s.id, scope: q.scope, nonce: q.nonce, challenge: q.challenge,
		redirect: q.redirect, authTime: s.at, family: random()}
	if len(q.acr) > 0 {
		g.acr = q.acr[0]
	}
	code := random()
	p.mu.Lock()
	p.codes.put(code, g, p.now(), codeLife)
	if !slices.Contains(s.clients, q.client.ID) {
		s.clients = append(s.clients, q.client.ID)
		p.sessions.put(s.id, s, p.now(), sessionLife)
	}
	p.mu.Unlock()
	p.note(s.id, "code", code)
	p.back(w, r, q, url.Values{"code": {code}})
}

// hostile is what a description may try on whoever prints it.
const hostile = "<script>alert(1)</script>\r\nSet-Cookie: a=b\x1b[2J"

// back sends the browser back to the client.
func (p signIns) back(w http.ResponseWriter, r *http.Request, q *request, answer url.Values) {
	if q.state != "" {
		answer.Set("state", q.state)
	}
	switch p.first(ResponseIssOther, ResponseIssMissing) {
	case ResponseIssOther:
		answer.Set("iss", "https://evil.example")
	case ResponseIssMissing:
	default:
		answer.Set("iss", p.options.Issuer)
	}
	if q.mode == "form_post" {
		p.formPost(w, q.redirect, answer)
		return
	}
	separator := "?"
	if strings.Contains(q.redirect, "?") {
		separator = "&"
	}
	http.Redirect(w, r, q.redirect+separator+answer.Encode(), http.StatusSeeOther)
}

// push takes a request before the browser comes (RFC 9126).
func (p signIns) push(w http.ResponseWriter, r *http.Request) {
	if p.options.NoPAR {
		http.NotFound(w, r)
		return
	}
	c, ok := p.authenticated(w, r)
	if !ok {
		return
	}
	switch p.first(PushedRefused, PushedWithoutReference) {
	case PushedRefused:
		refuse(w, http.StatusBadRequest, "invalid_request", hostile)
		return
	case PushedWithoutReference:
		writeJSON(w, http.StatusCreated, map[string]any{"expires_in": 60})
		return
	}
	form := url.Values{}
	for name, values := range r.PostForm {
		if !strings.HasPrefix(name, "client_assertion") && name != "client_secret" {
			form[name] = values
		}
	}
	q, complaint := p.parse(form)
	if q == nil || complaint != "" || form.Has("request_uri") || q.client.ID != c.ID {
		refuse(w, http.StatusBadRequest, "invalid_request", complaint)
		return
	}
	uri := "urn:ietf:params:oauth:request_uri:" + random()
	p.mu.Lock()
	p.requests.put(uri, *q, p.now(), codeLife)
	p.mu.Unlock()
	writeJSON(w, http.StatusCreated, map[string]any{"request_uri": uri, "expires_in": int(codeLife / time.Second)})
}
