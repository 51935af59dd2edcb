package toy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

const maxFailures = 10

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
