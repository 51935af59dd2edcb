// Package world is what stands around a subject: the API behind it, which records and
// misbehaves, the provider that people sign in at, names, processes, raw sockets.
package world

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
)

// Person is somebody who can sign in, by form or at the provider.
type Person struct{ Email, Password, Subject string }

// The two people of every case.
var (
	Ada = Person{"ada@id.test", "pw-MARKED-ada-5511", "p-ada"}
	Bob = Person{"bob@id.test", "pw-MARKED-bob-7722", "p-bob"}
)

// Names of hosts. Shop and Admin are the frontends, Shared the host that both call in
// the shared layout, Sibling a hostile host of the same site, Attacker another site.
const (
	Shop     = "https://shop.example.com"
	Admin    = "https://admin.example.com"
	Shared   = "https://api.example.com"
	Sibling  = "https://evil.example.com"
	Attacker = "https://attacker.test"
)

// World is the surroundings of one subject.
type World struct {
	API *API
	IdP *IdP
	Dir string

	mu      sync.Mutex
	names   map[string]string
	secrets map[string]string // token → what it is
	owners  map[string]string // access or refresh token → e-mail
	ends    []func()
	marks   int
}

// New starts an API; the provider comes by [World.StartIdP].
func New() (*World, error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return nil, err
	}
	w := &World{Dir: dir, names: map[string]string{}, secrets: map[string]string{}, owners: map[string]string{}}
	w.OnEnd(func() { _ = os.RemoveAll(dir) })
	w.API = newAPI(w)
	w.OnEnd(func() { Shut(w.API.server) })
	return w, nil
}

// Shut ends a server at once, whatever it is doing.
func Shut(s *httptest.Server) { _, _ = s.Config.Close(), s.Listener.Close() }

// OnEnd runs f at the end; the last one first.
func (w *World) OnEnd(f func()) { w.mu.Lock(); defer w.mu.Unlock(); w.ends = append(w.ends, f) }

// Close ends everything that was started.
func (w *World) Close() {
	w.mu.Lock()
	ends := slices.Clone(w.ends)
	w.mu.Unlock()
	for _, end := range slices.Backward(ends) {
		end()
	}
}

// Name leads host names to an address, host and port.
func (w *World) Name(address string, hosts ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, host := range hosts {
		w.names[host] = address
	}
}

// Lookup is the address behind the host and port of a URL.
func (w *World) Lookup(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if address, ok := w.names[host]; ok {
		return address
	}
	return hostport
}

// Mark is a word that no other case uses.
func (w *World) Mark() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.marks++
	return fmt.Sprintf("mark%dx", w.marks)
}

// issue remembers a token and whose it is.
func (w *World) issue(token, kind, owner string) {
	if token == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets[token], w.owners[token] = kind, owner
}

// Owner is the e-mail of the person whom a token belongs to; "" if it is none of ours.
func (w *World) Owner(token string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.owners[token]
}

// Issued reports whether a token came from this world.
func (w *World) Issued(token string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.secrets[token] != ""
}

// Leak finds a token in a text, also in base64 inside it; "" if there is none.
func (w *World) Leak(text string, kinds ...string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range append(decoded(text), text) {
		for token, kind := range w.secrets {
			if len(token) > 6 && (len(kinds) == 0 || slices.Contains(kinds, kind)) && strings.Contains(text, token) {
				return kind
			}
		}
	}
	return ""
}

// decoded are the readings of long words of a text as base64.
func decoded(text string) (found []string) {
	isWord := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("+/-_=", r))
	}
	for _, word := range strings.FieldsFunc(text, isWord) {
		word = strings.TrimRight(word, "=")
		if len(word) < 24 {
			continue
		}
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if b, err := e.DecodeString(word); err == nil {
				found = append(found, string(b))
			}
		}
	}
	return found
}

// claimsOf reads the claims of a JWT without checking anything.
func claimsOf(token string) (claims struct{ Sub, Sid, Email string }) {
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		if b, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
			_ = json.Unmarshal(b, &claims)
		}
	}
	return claims
}
