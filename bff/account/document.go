package account

import (
	"encoding/json"
	"time"

	"coatcheck/bff/session"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// anonymous is the session document where nobody is signed in.
type anonymous struct {
	Authenticated bool   `json:"authenticated"`
	Frontend      string `json:"frontend,omitempty"` // with Providers: a navigation has no Origin that tells
	Reason        string `json:"reason,omitempty"`

	// A sign-in that waits for more.
	Step   string   `json:"step,omitempty"`
	Fields []string `json:"fields,omitempty"`

	// Providers at whose pages people sign in; Fields are then the form's, if there is one.
	Providers []string `json:"providers,omitempty"`
}

// document is the session document. Times left are seconds, because browsers' clocks
// are wrong; ID is a handle for lists, not the ticket, and opens nothing.
type document struct {
	Authenticated bool           `json:"authenticated"`
	Frontend      string         `json:"frontend"`
	ID            string         `json:"id"`
	User          map[string]any `json:"user"`
	CreatedAt     string         `json:"created_at"`
	IdleExpiresIn int64          `json:"idle_expires_in"`
	ExpiresIn     int64          `json:"expires_in"`
}

func (a *Account) document(f *configs.Frontend, s *session.Session) document {
	return document{Authenticated: true, Frontend: s.Frontend, ID: s.ID, User: exposed(s.User, f.Login.Expose),
		CreatedAt: s.Created.UTC().Format(time.RFC3339), IdleExpiresIn: int64(a.manager.IdleLeft(s) / time.Second),
		ExpiresIn: int64(a.manager.Left(s) / time.Second)}
}

// Document renders the session document of a session, for a page that carries it. It
// is safe inside a script element: <, > and & are escaped.
func (a *Account) Document(f *configs.Frontend, s *session.Session) ([]byte, error) {
	return json.Marshal(a.document(f, s))
}

// exposed picks what of the user a browser may see.
func exposed(user []byte, expose []string) map[string]any {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(user, &all) // nothing that can be read: nothing to show
	return mapping.Exposed(all, expose)
}
