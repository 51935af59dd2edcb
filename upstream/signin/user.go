package signin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// userSource is where a person is described: in the sign-in answer, in a JWT, or
// at an address of its own.
type userSource struct {
	token   *place   // a JWT of the sign-in answer; nil: the access token
	jwt     bool     // claims of a token
	request *request // nil: not asked for
	timeout time.Duration

	at, subject []string
	named       bool // whether the mapping names the subject: then it must be there
}

func (m *mapping) compileUser() error {
	if m.cfg.Login == nil || m.cfg.Login.User == nil {
		return nil
	}
	c := m.cfg.Login.User
	subject, named := c.SubjectPointer()
	s := &userSource{jwt: c.From == "jwt", named: named, timeout: orDefault(c.Timeout, defaultTimeout)}
	var failed [4]error
	s.at, failed[0] = parsePointer(c.At)
	s.subject, failed[1] = parsePointer(subject)
	if c.Token != nil {
		s.token, failed[2] = newPlace(*c.Token)
	}
	if c.From == "request" {
		s.request, failed[3] = m.request(&configs.Request{Path: c.Path}, http.MethodGet, m.u.send)
	}
	m.u.user = s
	return errors.Join(failed[:]...)
}

// read returns the user and what names the person. a is the sign-in answer, and
// places are what the credential was taken from there: they are cut out of what is kept.
func (s *userSource) read(ctx context.Context, places *credentialPlaces, a *answer, v *values) (map[string]json.RawMessage, string, error) {
	doc, err := s.document(ctx, a, v)
	if err != nil {
		return nil, "", err
	}
	object, subject, err := s.find(doc)
	traceOf(ctx).describes(s, doc, object, err)
	if err != nil {
		return nil, "", err
	}
	if !s.jwt && s.request == nil {
		places.cut(doc)
	}
	forget(object, v.credential)
	user := make(map[string]json.RawMessage, len(object))
	for key, field := range object {
		user[key] = encode(field)
	}
	return user, subject, nil
}

// find returns the user in doc and what names them.
func (s *userSource) find(doc any) (map[string]any, string, error) {
	at, _ := follow(doc, s.at)
	object, ok := at.(map[string]any)
	if !ok {
		return nil, "", invalid("no JSON object where the user should be")
	}
	subject, err := s.name(object)
	return object, subject, err
}

// document returns the whole document that the user is in.
func (s *userSource) document(ctx context.Context, a *answer, v *values) (any, error) {
	switch {
	case s.jwt:
		return s.claims(a, v.credential)
	case s.request == nil:
		return a.doc, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	own, err := s.request.ask(ctx, v)
	if err != nil {
		return nil, err
	}
	if own.status < 200 || own.status > 299 {
		return nil, invalid("status %d", own.status)
	}
	return own.doc, nil
}

func (s *userSource) claims(a *answer, c *credential.Credential) (any, error) {
	token := value{secret: c.Value(credential.AccessToken), taken: true}
	if s.token != nil {
		raw, _ := s.token.take(a)
		token.secret = keep(raw)
	}
	text, _ := token.appendText(nil)
	object, ok := claims(string(text))
	if !ok {
		return nil, invalid("no JWT where the user's should be")
	}
	return object, nil
}

// maxSubject bounds what names a person, in bytes.
const maxSubject = 1 << 10

// name reads what names the person: text or a number, as text.
func (s *userSource) name(user map[string]any) (string, error) {
	v, there := follow(user, s.subject)
	if (!there || v == nil) && !s.named {
		return "", nil
	}
	text, ok := scalar(v)
	if _, isBool := v.(bool); !ok || isBool || text == "" || len(text) > maxSubject {
		return "", invalid("no subject where it should be")
	}
	return text, nil
}

// cut removes from doc whatever the credential is taken from.
func (c *credentialPlaces) cut(doc any) {
	for _, list := range []map[string]*place{c.values, c.ends} {
		for _, p := range list {
			if p.isPointer() && len(p.tokens) > 0 {
				cutAt(doc, p.tokens)
			}
		}
	}
}

// cutAt removes what stands at a pointer. In a list it leaves null, so that the
// places behind it stay where they are.
func cutAt(doc any, tokens []string) {
	last := len(tokens) - 1
	parent, _ := follow(doc, tokens[:last])
	switch parent := parent.(type) {
	case map[string]any:
		delete(parent, tokens[last])
	case []any:
		if i, ok := index(tokens[last]); ok && i < len(parent) {
			parent[i] = nil
		}
	}
}

// forget removes the tokens themselves from wherever else the API wrote them: the
// user is shown to pages.
func forget(object map[string]any, c *credential.Credential) {
	for key, field := range object {
		if isTokenOf(field, c) {
			delete(object, key)
			continue
		}
		forgetIn(field, c)
	}
}

func forgetIn(v any, c *credential.Credential) {
	switch v := v.(type) {
	case map[string]any:
		forget(v, c)
	case []any:
		for i, item := range v {
			if isTokenOf(item, c) {
				v[i] = nil
				continue
			}
			forgetIn(item, c)
		}
	}
}

func isTokenOf(v any, c *credential.Credential) bool {
	text, ok := v.(string)
	if !ok || text == "" {
		return false
	}
	bareText, _ := bare(text).(string)
	given := credential.NewSecret(bareText)
	return given.Equal(c.Value(credential.AccessToken)) || given.Equal(c.Value(credential.RefreshToken))
}
