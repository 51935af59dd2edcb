package configs

import (
	"encoding/hex"
	"slices"
	"strings"

	"coatcheck/bff/apikey"
	"coatcheck/bff/ratelimit"
)

// KeyHashes are the hashes of the keys that the file names, with their callers.
func (c *Config) KeyHashes() map[apikey.Hash]string {
	hashes := map[apikey.Hash]string{}
	for name, caller := range c.Callers {
		for _, text := range caller.Keys {
			var hash apikey.Hash
			if n, err := hex.Decode(hash[:], []byte(strings.TrimPrefix(text, "sha256:"))); err == nil && n == len(hash) {
				hashes[hash] = name
			}
		}
	}
	return hashes
}

// Places are where the caller's keys, or tokens of a provider, are read; none for one
// that signs.
func (c *Caller) Places() apikey.Places {
	p := apikey.Places{Bearer: c.Token != nil}
	for _, from := range c.From {
		p.Bearer = p.Bearer || from.Bearer
		p.Basic = p.Basic || from.Basic
		if from.Header != "" {
			p.Headers = append(p.Headers, from.Header)
		}
		if from.Query != "" {
			p.Queries = append(p.Queries, from.Query)
		}
	}
	return p
}

// KeyPlaces are where keys are read on a route: every place of its callers. A key
// counts only where its own caller's are read, too.
func (c *Config) KeyPlaces(r *Route) apikey.Places {
	var all apikey.Places
	for _, name := range r.Callers {
		caller := c.Callers[name]
		if caller == nil {
			continue
		}
		p := caller.Places()
		all.Bearer, all.Basic = all.Bearer || p.Bearer, all.Basic || p.Basic
		for _, header := range p.Headers {
			if !slices.ContainsFunc(all.Headers, func(h string) bool { return strings.EqualFold(h, header) }) {
				all.Headers = append(all.Headers, header)
			}
		}
		for _, query := range p.Queries {
			if !slices.Contains(all.Queries, query) {
				all.Queries = append(all.Queries, query)
			}
		}
	}
	return all
}

// Rate is the bound as the limiter has it; ok is false where the file gives none.
func (c *Caller) Rate() (limit ratelimit.Limit, ok bool) {
	if c.Limit == nil {
		return ratelimit.Limit{}, false
	}
	return ratelimit.Limit{Calls: c.Limit.Calls, Per: c.Limit.Per, Burst: c.Limit.Burst}, true
}
