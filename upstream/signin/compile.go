package signin

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// compiler is what is known while one upstream's mapping is compiled.
type compiler struct {
	set       *Set
	u         *Upstream
	cfg       *configs.Upstream
	sendNamed bool            // whether `send` says how the token is carried
	wire      map[string]bool // names put anywhere but into bodies; filled while compiling
}

// Exchange is one request of a mapping and how its response is read.
type Exchange struct {
	// Name is what errors call it: "login", "step otp".
	Name string
	// Key is where in the configuration it stands: upstreams.api.login.
	Key string
	// Rules say what the response means, Places where it holds a credential; nil: the
	// response is not read.
	Rules  *mapping.Rules
	Places *mapping.Places

	request *request
	timeout time.Duration
}

// request is a request of the mapping and where it goes.
type request struct {
	*mapping.Request
	to   *Upstream    // whose host, TLS and connections are used
	send mapping.Send // all of `send`, or only what has no {name}
}

// carry notes names that are put on the wire.
func (m *compiler) carry(names []string) {
	for _, name := range names {
		m.wire[name] = true
	}
}

// request compiles a request and notes the names it puts on the wire. method is the one
// where c names none.
func (m *compiler) request(c *mapping.Request, method string, send mapping.Send) (*request, error) {
	if c == nil {
		return nil, errors.New("request is missing")
	}
	own := *c
	own.Method = strings.ToUpper(cmp.Or(c.Method, method))
	r := &request{Request: &own, to: m.u, send: send}
	if c.Upstream != "" {
		if r.to = m.set.upstreams[c.Upstream]; r.to == nil {
			return nil, errors.New("request.upstream names no upstream")
		}
	}
	m.carry(r.WireNames())
	faults := r.Faults()
	if f := r.CheckPath(); f != nil {
		faults = append(faults, f)
	}
	return r, mapping.Join(faults)
}

// rules compiles what responses mean.
func rules(answers []mapping.Rule, rejected []int, presumed bool, means string) (*mapping.Rules, error) {
	r := &mapping.Rules{List: answers, Rejected: rejected, RejectedMeans: means, Presumed: presumed}
	return r, mapping.Join(r.Faults())
}

// key is where in the configuration a part of the mapping stands.
func (m *compiler) key(part string) string { return "upstreams." + m.u.name + "." + part }

func (m *compiler) places(c map[string]mapping.Place) (*mapping.Places, error) {
	return mapping.NewPlaces(c, m.sendNamed, m.wire)
}

func orDefault(timeout, fallback time.Duration) time.Duration {
	if timeout <= 0 {
		return fallback
	}
	return timeout
}

func (m *compiler) compileRefresh() error {
	c := m.cfg.Refresh
	if c == nil {
		return nil
	}
	r := &refresh{before: c.Before}
	r.Name, r.Key, r.timeout = "refresh", m.key("refresh"), orDefault(c.Timeout, defaultTimeout)
	var failed [4]error
	r.request, failed[0] = m.request(c.Request, http.MethodPost, m.u.send.Constant())
	r.Rules, failed[1] = rules(c.Answers, c.Rejected, false, mapping.SessionExpired)
	r.Places, failed[2] = m.places(c.Credential)
	r.user, failed[3] = m.userSource(c.User)
	r.named = m.cfg.Login == nil || c.User != m.cfg.Login.User
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	r.needs = credential.AccessToken
	if slices.Contains(r.request.Names(), credential.RefreshToken) {
		r.needs = credential.RefreshToken
	}
	m.u.refresh = r
	return nil
}

func (m *compiler) compileLogout() error {
	c := m.cfg.Logout
	if c == nil {
		return nil
	}
	r, err := m.request(c.Request, http.MethodPost, m.u.send)
	if err != nil {
		return err
	}
	m.u.logout = &Exchange{Name: "logout", request: r, timeout: orDefault(c.Timeout, 5*time.Second)}
	return nil
}

func (m *compiler) compileVerify() error {
	c := m.cfg.Verify
	if c == nil {
		return nil
	}
	v := &verify{after: c.After}
	v.Name, v.Key, v.timeout = "verify", m.key("verify"), orDefault(c.Timeout, defaultTimeout)
	var failed [2]error
	v.request, failed[0] = m.request(c.Request, http.MethodGet, m.u.send)
	v.Rules, failed[1] = rules(c.Answers, c.Rejected, c.Presumed, mapping.SessionExpired)
	m.u.verify = v
	return errors.Join(failed[:]...)
}
