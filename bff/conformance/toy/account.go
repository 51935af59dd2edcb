package toy

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"
)

// document tells the page who is signed in.
func (c accountCall) document(s *session, answer string) {
	doc := map[string]any{"user": map[string]string{"email": s.Email, "id": s.Subject}}
	if c.y.on("tokens-signin") {
		doc["access"] = s.Access
	}
	if c.y.on("tokens-surplus") {
		doc["answer"] = json.RawMessage(answer)
	}
	c.w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(c.w).Encode(doc)
}

// me tells who is signed in.
func (c accountCall) me() {
	if err := c.open(); err != nil {
		if c.y.on("store-whoami") {
			_, _ = io.WriteString(c.w, `{"authenticated":false}`)
			return
		}
		c.away()
		return
	}
	c.noStore("caching-whoami")
	if c.session == nil || c.session.useless() && !c.y.on("expiry-token-whoami") {
		_, _ = io.WriteString(c.w, `{"authenticated":false}`)
		return
	}
	if c.y.on("expiry-idle-poll") {
		c.y.touch(c.ticket, time.Now())
	}
	doc := map[string]any{"user": map[string]string{"email": c.session.Email}}
	if c.y.on("tokens-whoami") {
		doc["access_token"] = c.session.Access
	}
	if c.y.on("cookies-in-body") {
		doc["session"] = c.ticket
	}
	if c.y.on("tokens-refresh-whoami") {
		doc["refresh"] = c.session.Refresh
	}
	if c.y.on("tokens-id-token") {
		doc["id_token"] = c.session.IDToken
	}
	_ = json.NewEncoder(c.w).Encode(doc)
}

// logout ends the session.
func (c accountCall) logout() {
	site := c.r.Header.Get("Sec-Fetch-Site")
	if c.method != "POST" {
		image := c.r.Header.Get("Sec-Fetch-Dest") == "image" && c.y.on("csrf-logout-image")
		link := c.r.Header.Get("Sec-Fetch-Mode") == "navigate" && site != "none" && c.y.on("csrf-logout-link")
		if !image && !link {
			c.refuse(405, "method_not_allowed")
			return
		}
	}
	if err := c.open(); err != nil {
		if c.y.on("store-signout") {
			c.w.WriteHeader(204)
			return
		}
		c.away()
		return
	}
	if c.session == nil && c.y.on("sessions-signout-twice") {
		c.refuse(500, "internal")
		return
	}
	if c.session != nil {
		c.end()
	}
	if !c.y.on("cookies-expired") {
		c.clearTicket()
	}
	c.noStore("caching-signout")
	c.w.WriteHeader(204)
}

func (c accountCall) end() {
	keys := []string{c.y.store.key(c.ticket)}
	if c.y.on("sessions-parallel") || c.y.on("people-signout") {
		who := c.session.Email
		keys = append(keys, c.y.store.of(func(s *session) bool { return s.Email == who })...)
	}
	if !c.y.on("sessions-signout") {
		for _, key := range slices.Compact(keys) {
			_ = c.y.store.dropKey(key)
		}
	}
	c.y.cut(keys)
	if c.y.on("sessions-revoked") {
		return
	}
	if c.y.form {
		_, _ = c.y.client.Post(c.y.w.API.URL()+"/auth/logout", "application/json", strings.NewReader(`{}`))
		return
	}
	relying{c.y}.revoke(c.session.Refresh)
}
