package toy

import (
	"cmp"
	"encoding/hex"
	"errors"
	"strings"
	"time"
)

// cookieName is that of a frontend's session.
func (y *Toy) cookieName(frontend string) string {
	if y.on("people-cookie-names") {
		frontend = "shop"
	}
	if y.on("cookies-prefix") || y.on("cookies-tossing") {
		return frontend
	}
	return "__Host-" + frontend
}

// attributes of a cookie, but for the sins among group-secure, -httponly, -samesite, -domain.
func (y *Toy) attributes(group, sameSite string) string {
	text := "; Path=/"
	if !y.on(group + "-httponly") {
		text += "; HttpOnly"
	}
	if !y.on(group + "-secure") {
		text += "; Secure"
	}
	switch {
	case group == "cookies" && y.on(cookieForAll) && !y.on("cookies-secure"):
		text += "; SameSite=None"
	case !y.on(group + "-samesite"):
		text += "; SameSite=" + sameSite
	}
	if y.on(group + "-domain") {
		text += "; Domain=example.com"
	}
	return text
}

func (c accountCall) setTicket(ticket string) {
	sameSite := "Strict"
	if c.y.on("cookies-strict") {
		sameSite = "Lax"
	}
	life := ""
	if c.y.on("expiry-cookie") {
		life = "; Max-Age=864000"
	}
	c.w.Header().Add("Set-Cookie", c.y.cookieName(c.name)+"="+ticket+c.y.attributes("cookies", sameSite)+life)
	if c.y.on("cookies-size") {
		c.w.Header().Add("Set-Cookie", "wide="+strings.Repeat("x", 5000)+"; Path=/; Secure; HttpOnly; SameSite=Strict")
	}
}

func (c accountCall) clearTicket() {
	text := c.y.cookieName(c.name) + "=; Max-Age=0" + c.y.attributes("cookies", "Strict")
	c.w.Header().Add("Set-Cookie", text)
}

// newTicket is the secret of a session.
func (c accountCall) newTicket() string {
	if old := cmp.Or(c.presented(), c.carried); old != "" && (c.y.on("cookies-fixation") || c.y.on("expiry-signin")) {
		return old
	}
	if c.y.on("cookies-entropy") {
		return hex.EncodeToString([]byte(random()[:5]))
	}
	return random()
}

// presented is the ticket that came, whatever it opens.
func (c accountCall) presented() string {
	name := c.y.cookieName(c.name)
	if c.name == "admin" && !c.y.shared && c.y.on("people-first-cookie") {
		c.y.mu.Lock()
		defer c.y.mu.Unlock()
		return c.y.first
	}
	if c.y.on("people-first-cookie") {
		for _, k := range c.r.Cookies() {
			if strings.HasSuffix(k.Name, "shop") || strings.HasSuffix(k.Name, "admin") {
				return k.Value
			}
		}
	}
	if k, err := c.r.Cookie(name); err == nil {
		return k.Value
	}
	if c.y.on("cookies-address") {
		return c.queryValue(name)
	}
	return ""
}

func (c accountCall) queryValue(name string) string {
	for pair := range strings.SplitSeq(c.query, "&") {
		if n, value, _ := strings.Cut(pair, "="); n == name {
			return value
		}
	}
	return ""
}

// open finds the session of a call; what remains nil is nobody.
func (c accountCall) open() error {
	c.ticket = c.presented()
	if c.ticket == "" {
		return nil
	}
	c.ticket = c.y.repaired(c.ticket)
	s, err := c.y.store.get(c.ticket)
	if err != nil {
		return err
	}
	if s != nil && s.Frontend != c.name && !c.y.on("people-cross-cookie") && !c.y.on("people-first-cookie") && !c.y.on("people-forwarded-host") {
		s = nil
	}
	if s != nil && c.y.past(c.ticket, s) {
		_ = c.y.store.drop(c.ticket)
		s = nil
	}
	c.session = s
	return nil
}

// repaired is the ticket that a sin takes a damaged one for.
func (y *Toy) repaired(ticket string) string {
	y.store.mu.Lock()
	defer y.store.mu.Unlock()
	if y.store.memory[ticket] != nil {
		return ticket // another may begin like it
	}
	for known := range y.store.memory {
		n := len(known) - 4
		if n < 4 || len(ticket) < n || ticket[:n] != known[:n] {
			continue
		}
		if len(ticket) == n && y.on("cookies-cut") || len(ticket) > n && y.on("cookies-changed") {
			return known
		}
	}
	return ticket
}

// start stores a session and sets its cookie.
func (c accountCall) start(s *session) bool {
	s.Frontend, s.Made = c.name, time.Now()
	old := cmp.Or(c.presented(), c.carried)
	ticket := c.newTicket()
	if err := c.y.store.put(ticket, s); err != nil {
		if c.y.on("store-signin") {
			c.setTicket(ticket)
		}
		c.away()
		return false
	}
	if old != "" && old != ticket && !c.y.on("sessions-replaced") {
		_ = c.y.store.drop(old)
	}
	c.y.mu.Lock()
	if c.y.first == "" {
		c.y.first = ticket
	}
	c.y.mu.Unlock()
	c.setTicket(ticket)
	c.noStore("caching-signin")
	return true
}

func (c accountCall) noStore(sin string) {
	policy := "no-store"
	if c.y.on(sin) {
		policy = "max-age=600"
	}
	c.w.Header().Set("Cache-Control", policy)
}

// away answers while the store is.
func (c accountCall) away() {
	c.w.Header().Set("Retry-After", "5")
	c.refuse(503, "store_unavailable")
}

var errRefused = errors.New("refused")
