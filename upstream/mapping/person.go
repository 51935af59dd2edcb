package mapping

import (
	"encoding/json"

	"coatcheck/bff/credential"
)

// maxSubject bounds what names a person, in bytes.
const maxSubject = 1 << 10

// Person says where a document describes somebody.
type Person struct {
	// At is a pointer to the person's object in the document.
	At string
	// Subject is a pointer, below At, to what identifies the person permanently.
	Subject string
	// SubjectNamed says that the mapping names the subject: then it must be there.
	SubjectNamed bool
}

// Faults is what is wrong with the pointers.
func (p *Person) Faults() []*Fault {
	var faults []*Fault
	for key, pointer := range map[string]string{"at": p.At, "subject": p.Subject} {
		if f := CheckPointer(pointer); f != nil {
			faults = append(faults, f.below(key))
		}
	}
	return faults
}

// Find returns the person's object in doc and what names the person, empty where the
// mapping names no subject and there is none. It fails with [upstream.ErrInvalid].
func (p *Person) Find(doc any) (object map[string]any, subject string, err error) {
	at, _ := Place{Pointer: p.At}.Extract(&Response{Body: doc})
	object, ok := at.(map[string]any)
	if !ok {
		return nil, "", Invalid("no JSON object where the user should be")
	}
	subject, err = p.subject(object)
	return object, subject, err
}

// subject reads what names the person: text or a number, as text.
func (p *Person) subject(object map[string]any) (string, error) {
	v, there := Place{Pointer: p.Subject}.Extract(&Response{Body: object})
	if (!there || v == nil) && !p.SubjectNamed {
		return "", nil
	}
	text, ok := Text(v)
	if _, isBool := v.(bool); !ok || isBool || text == "" || len(text) > maxSubject {
		return "", Invalid("no subject where it should be")
	}
	return text, nil
}

// TokenClaims returns the claims of the JWT at a place of the response, or of the access
// token where token is nil. It fails with [upstream.ErrInvalid] where there is no JWT.
func TokenClaims(token *Place, a *Response, c *credential.Credential) (map[string]any, error) {
	v := value{secret: c.Value(credential.AccessToken), fromAPI: true}
	if token != nil {
		raw, _ := token.Extract(a)
		v.secret = toSecret(raw)
	}
	text, _ := v.appendText(nil)
	object, ok := Claims(string(text))
	if !ok {
		return nil, Invalid("no JWT where the user's should be")
	}
	return object, nil
}

// Cut removes from doc whatever the credential is extracted from.
func (c *Places) Cut(doc any) {
	for _, list := range []map[string]Place{c.Values, c.Expiry} {
		for _, p := range list {
			if tokens, _ := parsePointer(p.Pointer); p.InBody() && len(tokens) > 0 {
				cut(doc, tokens)
			}
		}
	}
}

// Encoded returns the person's fields as JSON, without the tokens themselves wherever
// else the API wrote them: they are shown to pages. object is changed.
func Encoded(object map[string]any, c *credential.Credential) map[string]json.RawMessage {
	forget(object, c)
	fields := make(map[string]json.RawMessage, len(object))
	for key, field := range object {
		fields[key] = Encode(field)
	}
	return fields
}

// forget removes the tokens of c from object.
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
	bare, _ := bareToken(text).(string)
	given := credential.NewSecret(bare)
	return given.Equal(c.Value(credential.AccessToken)) || given.Equal(c.Value(credential.RefreshToken))
}
