package signin

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
)

// mapping is what is known while one upstream's mapping is compiled.
type mapping struct {
	set   *Set
	u     *Upstream
	cfg   *configs.Upstream
	named bool            // whether `send` says how the token is carried
	wire  map[string]bool // names put anywhere but into bodies; filled while compiling
}

// exchange is a question and how its answer is read.
type exchange struct {
	what    string // for errors
	key     string // of the mapping, for who tries it: upstreams.api.login
	request *request
	timeout time.Duration
	rules   *rules
	places  *credentialPlaces
}

// carry notes which names a list of templates puts on the wire.
func (m *mapping) carry(lists ...[]pair) {
	for _, list := range lists {
		for _, p := range list {
			for _, name := range p.text.names() {
				m.wire[name] = true
			}
		}
	}
}

// request compiles a request and notes the names it puts on the wire.
func (m *mapping) request(c *configs.Request, method string, send []pair) (*request, error) {
	r, err := m.set.newRequest(m.u, c, method, send)
	if err != nil {
		return nil, err
	}
	for _, name := range r.wireNames() {
		m.wire[name] = true
	}
	return r, nil
}

// key is where in the configuration a part of the mapping stands.
func (m *mapping) key(part string) string { return "upstreams." + m.u.name + "." + part }

func (m *mapping) places(c map[string]configs.Place) (*credentialPlaces, error) {
	return newCredentialPlaces(c, m.named, m.wire)
}

func orDefault(timeout, fallback time.Duration) time.Duration {
	if timeout <= 0 {
		return fallback
	}
	return timeout
}

func (m *mapping) compileLogin() error {
	c := m.cfg.Login
	if c == nil {
		return nil
	}
	x := &exchange{what: "login", key: m.key("login"), timeout: orDefault(c.Timeout, defaultTimeout)}
	var failed [4]error
	x.request, failed[0] = m.request(c.Request, http.MethodPost, m.u.constants)
	x.rules, failed[1] = newRules(c.Answers, c.Rejected, InvalidCredentials)
	x.places, failed[2] = m.places(c.Credential)
	if _, ok := c.Credential[credential.AccessToken]; !ok {
		failed[3] = errors.New("credential has no access_token")
	}
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	m.u.login = x
	return nil
}

func (m *mapping) compileRefresh() error {
	c := m.cfg.Refresh
	if c == nil {
		return nil
	}
	r := &refresh{before: c.Before}
	r.what, r.key, r.timeout = "refresh", m.key("refresh"), orDefault(c.Timeout, defaultTimeout)
	var failed [3]error
	r.request, failed[0] = m.request(c.Request, http.MethodPost, m.u.constants)
	r.rules, failed[1] = newRules(c.Answers, c.Rejected, SessionExpired)
	r.places, failed[2] = m.places(c.Credential)
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	r.needs = credential.AccessToken
	if slices.Contains(r.request.names(), credential.RefreshToken) {
		r.needs = credential.RefreshToken
	}
	m.u.refresh = r
	return nil
}

func (m *mapping) compileLogout() error {
	c := m.cfg.Logout
	if c == nil {
		return nil
	}
	r, err := m.request(c.Request, http.MethodPost, m.u.send)
	if err != nil {
		return err
	}
	m.u.logout = &exchange{what: "logout", request: r, timeout: orDefault(c.Timeout, 5*time.Second)}
	return nil
}

func (m *mapping) compileVerify() error {
	c := m.cfg.Verify
	if c == nil {
		return nil
	}
	v := &verify{after: c.After}
	v.what, v.key, v.timeout = "verify", m.key("verify"), orDefault(c.Timeout, defaultTimeout)
	var failed [2]error
	v.request, failed[0] = m.request(c.Request, http.MethodGet, m.u.send)
	v.rules, failed[1] = newRules(c.Answers, c.Rejected, SessionExpired)
	m.u.verify = v
	return errors.Join(failed[:]...)
}
