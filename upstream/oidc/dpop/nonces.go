package dpop

import "sync"

const (
	// maxNonces bounds the servers whose nonces are known.
	maxNonces = 64
	// maxNonce bounds a nonce, in bytes.
	maxNonce = 256
)

// Nonces are the last nonces of servers (RFC 9449 §8, §9), by host. A server takes one
// for several proofs, whosever they are. Its zero value knows none; it may be used by
// many goroutines.
type Nonces struct {
	mu     sync.Mutex
	byHost map[string]string
}

// Get is the last nonce that host gave; empty where it gave none.
func (n *Nonces) Get(host string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byHost[host]
}

// Note keeps the DPoP-Nonce header of an answer of host. What cannot be a nonce is not
// kept.
func (n *Nonces) Note(host, nonce string) {
	if nonce == "" || len(nonce) > maxNonce || !isVisible(nonce) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.byHost[host]; !known && len(n.byHost) >= maxNonces || n.byHost == nil {
		n.byHost = map[string]string{}
	}
	n.byHost[host] = nonce
}
