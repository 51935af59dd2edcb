package demo

import (
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// Code is the second factor of everybody who has one. It is no secret, as the
// passwords are none.
const Code = "123456"

// Bounds of sign-ins that wait for a code: how many (the oldest makes room), for how
// long, and how many wrong codes each of them takes.
const (
	maxWaiting    = 100
	waitingLife   = 10 * time.Minute
	triesOfWaiter = 10
)

// door keeps the sign-ins whose password was right and whose code is yet to come.
type door struct {
	now     func() time.Time
	mu      sync.Mutex
	waiting map[string]*waiter // by mfa_token
}

type waiter struct {
	person Person
	ends   time.Time
	tries  int // wrong codes so far
}

// hold lets somebody wait, and returns the mfa_token that names them.
func (d *door) hold(p Person) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.waiting) >= maxWaiting {
		d.dropOldest()
	}
	token := random(24)
	d.waiting[token] = &waiter{person: p, ends: d.now().Add(waitingLife)}
	return token
}

func (d *door) dropOldest() {
	oldest := ""
	for token, w := range d.waiting {
		if oldest == "" || w.ends.Before(d.waiting[oldest].ends) {
			oldest = token
		}
	}
	delete(d.waiting, oldest)
}

// enter takes a code: who may come in, or whether somebody waits under that token at all.
func (d *door) enter(token, code string) (p Person, right, waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.waiting[token]
	if w == nil || !d.now().Before(w.ends) {
		return Person{}, false, false
	}
	right = subtle.ConstantTimeCompare([]byte(code), []byte(Code)) == 1
	if w.tries++; right || w.tries >= triesOfWaiter {
		delete(d.waiting, token)
	}
	return w.person, right, true
}

// mfa is the second half of a sign-in.
func (a *api) mfa(w http.ResponseWriter, r *http.Request) {
	var in struct {
		MFAToken string `json:"mfa_token"`
		Code     string
	}
	if !readJSON(w, r, &in) {
		return
	}
	person, right, waits := a.door.enter(in.MFAToken, in.Code)
	switch {
	case !waits:
		refuse(w, http.StatusUnauthorized, "invalid_grant")
	case !right:
		refuse(w, http.StatusUnauthorized, "invalid_code")
	default:
		a.admit(w, r, person)
	}
}
