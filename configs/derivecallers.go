package configs

import (
	"crypto/rand"
	"encoding/base64"

	"coatcheck/bff/credential"
)

// derive gives a caller the places where keys are read, and its burst.
func (c *Caller) derive() {
	if c.From == nil && c.Kind() == ByKey {
		c.From = []From{{Bearer: true}, {Basic: true}, {Header: "X-Api-Key"}}
	}
	if c.Limit != nil && c.Limit.Burst == 0 {
		c.Limit.Burst = c.Limit.Calls
	}
}

// deriveSessions: a file whose frontends have no pages need not say where sessions
// lie. Limits and accounts' tokens are then this process's own, sealed by a key
// that ends with it.
func (c *Config) deriveSessions() {
	if c.hasPages() || c.Source.Has("sessions") {
		return
	}
	raw := make([]byte, minKey)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	c.Sessions.Store = credential.NewSecret("memory://")
	c.Sessions.Keys = []credential.Secret{credential.NewSecret(base64.StdEncoding.EncodeToString(raw))}
}

func (c *Config) hasPages() bool {
	for _, f := range c.Frontends {
		if !f.IsDoor() || f.Host == "" {
			return true
		}
	}
	return len(c.Frontends) == 0
}

// missingSessions refuses pages whose sessions have no place; true where it did.
func (ck *checker) missingSessions() bool {
	if ck.config.Source.Has("sessions") || !ck.config.Sessions.Store.IsEmpty() {
		return false
	}
	ck.refuse("sessions", "required key missing", "a mapping: store and keys")
	return true
}
