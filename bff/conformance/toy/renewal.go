package toy

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"
)

// fresh is a token that lasts, renewed once for all who wait.
func (c proxyCall) fresh() (string, error) {
	if c.session.Ends > time.Now().Unix()+5 || c.session.Refresh == "" || c.y.on("sessions-renewed") {
		return c.session.Access, nil
	}
	if !c.y.on("sessions-renewed-once") {
		c.y.mu.Lock()
		lock := c.y.renewing[c.ticket]
		if lock == nil {
			lock = &sync.Mutex{}
			c.y.renewing[c.ticket] = lock
		}
		c.y.mu.Unlock()
		lock.Lock()
		defer lock.Unlock()
		if now, err := c.y.store.get(c.ticket); err == nil && now != nil && now.Access != c.session.Access {
			return now.Access, nil
		}
	}
	return c.renew()
}

func (c proxyCall) renew() (string, error) {
	t, err := c.y.renewal(c.session.Refresh)
	switch {
	case errors.Is(err, errRefused):
		if c.y.on("sessions-renewal-refused") {
			return c.session.Access, nil
		}
		if !c.y.on("expiry-refused-whoami") && !c.y.on("expiry-refused-again") {
			_ = c.y.store.drop(c.ticket)
		}
		return "", err
	case err != nil:
		if c.y.on("sessions-renewal-away") {
			_ = c.y.store.drop(c.ticket)
		}
		return "", err
	}
	next := *c.session
	next.Access, next.Ends = t.Access, time.Now().Unix()+t.Expires
	if c.y.on("expiry-absolute-renewed") {
		next.Made = time.Now()
	}
	if t.Refresh != "" && !c.y.on("sessions-renewal-kept") {
		next.Refresh = t.Refresh
	}
	still, err := c.y.store.get(c.ticket)
	if err == nil && (still != nil || c.y.on("sessions-resurrected")) {
		_ = c.y.store.put(c.ticket, &next)
	}
	return next.Access, nil
}

func (y *Toy) renewal(refresh string) (tokens, error) {
	if !y.form {
		return relying{y}.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refresh}})
	}
	got, err := y.client.Post(y.w.API.URL()+"/auth/refresh", "application/json", strings.NewReader(`{"refresh_token":"`+refresh+`"}`))
	if err != nil {
		return tokens{}, err
	}
	defer got.Body.Close()
	text, _ := io.ReadAll(got.Body)
	if got.StatusCode == 401 {
		return tokens{}, errRefused
	}
	s, err := y.read(text)
	if got.StatusCode != 200 || err != nil {
		return tokens{}, errors.New("renewal")
	}
	return tokens{Access: s.Access, Refresh: s.Refresh, Expires: s.Ends - time.Now().Unix()}, nil
}
