package oidc

import (
	"net/netip"

	"coatcheck/configs"
)

// ParseMetadata and CountKeys are the parsers of documents, for fuzzing.
var ParseMetadata = func(body []byte, c *configs.Provider) (map[string]string, error) {
	m, err := parseMetadata(body, c)
	if err != nil {
		return nil, err
	}
	return m.endpoints(), nil
}

// CountKeys returns how many keys of a set can be used.
func CountKeys(body []byte) (int, error) {
	set, err := parseKeys(body)
	if err != nil {
		return 0, err
	}
	return len(set.keys), nil
}

// Reach is the judge of addresses.
func Reach(c *configs.Provider) func(string, netip.Addr) error { return newReach(c).allow }

// ReachByName is the judge of names that a proxy is asked for.
func ReachByName(c *configs.Provider) func(string) error { return newReach(c).allowName }
