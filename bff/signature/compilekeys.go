package signature

import (
	"slices"
	"strconv"
	"strings"
)

// algorithm compiles the keys.
func (c *rule) algorithm(r *Rule, f *faults) {
	known := []string{HMACSHA1, HMACSHA256, HMACSHA384, HMACSHA512, Ed25519, ECDSASHA256, RSASHA256, JWT, Equal}
	switch {
	case !slices.Contains(known, r.By):
		f.refuse("by", "not an algorithm", strings.Join(known, ", "))
		return
	case len(r.Keys) == 0:
		f.refuse("keys", "without a key nothing can be verified", "keys: [\"${SECRET}\"]")
	case len(r.Keys) > MaxKeys:
		f.refuse("keys", "more than "+strconv.Itoa(MaxKeys)+" keys", "")
		return
	case r.By != JWT && len(r.Algorithms) > 0:
		f.refuse("algorithms", "algorithms are for by: jwt", "")
	}
	if !slices.Contains([]string{"", "text", "base64", "base64url", "hex"}, r.Encoding) {
		f.refuse("key.encoding", "not an encoding", "text, base64, base64url, hex")
		return
	}
	raw := c.keyBytes(r, f)
	if r.By == JWT {
		c.jwt = newToken(r, raw, f)
		return
	}
	c.verifiers(r, raw, f)
}

func (c *rule) keyBytes(r *Rule, f *faults) [][]byte {
	list := make([][]byte, len(r.Keys))
	for i, key := range r.Keys {
		raw, err := r.keyBytes(key.Reveal())
		if err != nil {
			f.refuse(index("keys", i), err.Error(), "")
			continue
		}
		list[i] = raw
	}
	return list
}

func (c *rule) verifiers(r *Rule, raw [][]byte, f *faults) {
	for i, each := range raw {
		if each == nil {
			continue
		}
		v, err := r.newVerifier(each)
		if err != nil {
			f.refuse(index("keys", i), err.Error(), "")
			continue
		}
		c.keys = append(c.keys, v)
		if h, ok := v.(hmacKey); ok {
			c.length = h.hash().Size()
		}
	}
	if r.By == Ed25519 {
		c.length = 64
	}
}
