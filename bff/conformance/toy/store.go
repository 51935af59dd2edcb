package toy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"
)

// session is one person signed in at one frontend.
type session struct {
	Email, Subject, Access, Refresh, IDToken, Sid string
	Frontend                                      string
	Ends                                          int64 // of the access token, Unix
	Made                                          time.Time
}

var errAway = errors.New("the store is away")

// store holds sealed sessions: a dump of it opens none.
type store struct {
	on      func(string) bool
	mu      sync.Mutex
	away    bool
	records map[string]string
	plain   map[string]*session // for endings by the provider: who and which sid
	memory  map[string]*session // what was seen last, for the sins of an outage
}

func newStore() *store {
	return &store{records: map[string]string{}, plain: map[string]*session{}, memory: map[string]*session{}}
}

func (s *store) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = false
	s.records, s.plain, s.memory = map[string]string{}, map[string]*session{}, map[string]*session{}
}

// Cut implements [suite.Store].
func (s *store) Cut() { s.mu.Lock(); defer s.mu.Unlock(); s.away = true }

// Mend implements [suite.Store].
func (s *store) Mend() { s.mu.Lock(); defer s.mu.Unlock(); s.away = false }

// Dump implements [suite.Store].
func (s *store) Dump() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for key, record := range s.records {
		b.WriteString(key + " " + record + "\n")
	}
	return b.String()
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func (s *store) key(ticket string) string {
	if s.on("tokens-store-ticket") {
		return ticket
	}
	sum := sha256.Sum256([]byte("key" + ticket))
	return hex.EncodeToString(sum[:])
}

func seal(ticket string) cipher.AEAD {
	sum := sha256.Sum256([]byte("seal" + ticket))
	block, _ := aes.NewCipher(sum[:])
	box, _ := cipher.NewGCM(block)
	return box
}

func (s *store) put(ticket string, x *session) error {
	text, _ := json.Marshal(x)
	record := string(text)
	if !s.on("tokens-store-plain") {
		box := seal(ticket)
		nonce := make([]byte, box.NonceSize())
		_, _ = rand.Read(nonce)
		record = base64.StdEncoding.EncodeToString(box.Seal(nonce, nonce, text, nil))
	}
	key := s.key(ticket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errAway
	}
	s.records[key], s.plain[key], s.memory[ticket] = record, x, x
	return nil
}

// get is nil for a ticket that opens nothing.
func (s *store) get(ticket string) (*session, error) {
	key := s.key(ticket)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	record, ok := s.records[key]
	if !ok {
		return nil, nil
	}
	x := &session{}
	text, err := base64.StdEncoding.DecodeString(record)
	if err == nil {
		box := seal(ticket)
		text, err = box.Open(nil, text[:box.NonceSize()], text[box.NonceSize():], nil)
	}
	if err != nil {
		text = []byte(record)
	}
	if json.Unmarshal(text, x) != nil {
		return nil, nil
	}
	return x, nil
}

func (s *store) drop(ticket string) error { return s.dropKey(s.key(ticket)) }

func (s *store) dropKey(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errAway
	}
	delete(s.records, key)
	delete(s.plain, key)
	return nil
}

// of are the keys of sessions that fit.
func (s *store) of(fits func(*session) bool) (keys []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, x := range s.plain {
		if fits(x) {
			keys = append(keys, key)
		}
	}
	return keys
}
