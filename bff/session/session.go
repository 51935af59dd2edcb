package session

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/session/record"
)

// Session is one person signed in at one frontend, as it was when the store was
// asked. It is immutable and shared between calls: copy before changing.
type Session struct {
	// ID is the public handle that the list of sessions shows. It opens nothing
	// and is derived from neither ticket nor store key.
	ID string

	// LogID stands for the session in logs: a hash of ID.
	LogID string

	Frontend, Subject string // the frontend's name, and who the person is there

	// Provider that signed the person in; empty: an API's mapping did. Subject then is
	// [PersonOf] the two.
	Provider string

	// User is the JSON object that the API gave for the person.
	User []byte

	Credential *credential.Credential // what the API gave; it never leaves for a browser

	// Generation counts credentials, from 1. It rises with every change of them.
	Generation uint64

	// Persistent says that the cookie of the ticket outlives the browser.
	Persistent bool

	// Created and Ends are times of the store's clock; Ends whatever the session does,
	// unless its refresh token is renewed.
	Created, Ends time.Time

	renewals uint64 // how often the credential was renewed: other changes raise Generation alone

	hash   hash
	latest time.Time // what Ends can become: the record's end
	seen   time.Time // last extension of the idle time
	size   int       // about what it takes in memory, in bytes
}

// Format implements [fmt.Formatter]: every verb prints the LogID and no more.
func (s Session) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "session "+s.LogID) }

// MarshalJSON implements [encoding/json.Marshaler], so that a session that lands
// in JSON by mistake says no more than its LogID.
func (s Session) MarshalJSON() ([]byte, error) { return []byte(`{"log_id":"` + s.LogID + `"}`), nil }

// LogValue implements [slog.LogValuer].
func (s Session) LogValue() slog.Value { return slog.StringValue(s.LogID) }

func (s *Session) seenAt(seen time.Time) *Session {
	next := *s
	next.seen = seen
	return &next
}

// sessionSize is what a session takes in memory besides its strings, about.
const sessionSize = 1024

func logID(id string) string {
	sum := sha256.Sum256([]byte("coatcheck/v1/log" + id))
	return hex.EncodeToString(sum[:8])
}

// sessionOf makes the snapshot of an opened record.
func sessionOf(h hash, o record.Opened) *Session {
	r := o.Record
	return &Session{
		ID: r.ID, LogID: logID(r.ID), Frontend: o.Frontend, Subject: r.Subject, Provider: r.Provider, User: r.User, Persistent: r.Persistent,
		Credential: r.Credential, Generation: o.Generation, Created: r.Created, Ends: r.Bound(),
		renewals: r.Renewals, hash: h, latest: r.Ends, seen: o.Seen, size: sessionSize + 2*len(o.Plain),
	}
}
