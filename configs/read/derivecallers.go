package read

import (
	"crypto/rand"
	"encoding/base64"
	"sync"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// deriveCaller gives a caller the places where keys are read, and its burst.
func deriveCaller(c *configs.Caller) {
	if c.From == nil && c.Kind() == configs.ByKey {
		c.From = []configs.From{{Bearer: true}, {Basic: true}, {Header: "X-Api-Key"}}
	}
	if c.Limit != nil && c.Limit.Burst == 0 {
		c.Limit.Burst = c.Limit.Calls
	}
}

// deriveSessions: a file whose frontends have no pages need not say where sessions
// lie. Limits and accounts' tokens are then this process's own, sealed by a key
// that ends with it.
func deriveSessions(c *configs.Config) {
	if hasPages(c) || c.Source.Has("sessions") {
		return
	}
	c.Sessions.Store = credential.NewSecret("memory://")
	c.Sessions.Keys = []credential.Secret{ownKey()}
}

// ownKey is the same at every reload, or accounts would sign in anew with each.
var ownKey = sync.OnceValue(func() credential.Secret {
	raw := make([]byte, configs.MinKey)
	_, _ = rand.Read(raw) // never fails: see crypto/rand
	return credential.NewSecret(base64.StdEncoding.EncodeToString(raw))
})

func hasPages(c *configs.Config) bool {
	for _, f := range c.Frontends {
		if !f.IsDoor() || f.Host == "" {
			return true
		}
	}
	return len(c.Frontends) == 0
}
