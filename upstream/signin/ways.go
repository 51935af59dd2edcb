package signin

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// Way names how people get a credential. Its zero value is login.
type Way struct {
	// Name of the way or the exchange; empty: login.
	Name string
	// Exchange says that it is for people who are signed in.
	Exchange bool
}

// String is the way as errors call it.
func (w Way) String() string {
	switch {
	case w.Exchange:
		return "exchange " + w.Name
	case w.Name != "":
		return "way " + w.Name
	}
	return "login"
}

// way is a first request, the steps that may follow it, and who the person is.
type way struct {
	*Exchange
	fields []string // but login's, which are the frontends'
	steps  map[string]*step
	user   *userSource // nil: nobody is described

	exchanges     bool // for people who are signed in
	userInherited bool // user is login's: an exchange's answer need not describe anybody
}

// Ways are how people get a credential at an upstream: login, other ways in, and the
// exchanges of people who are signed in.
type Ways struct {
	up     *Upstream
	login  *way // nil where people cannot sign in here
	byName map[Way]*way
}

// find finds a way; nil: there is none.
func (ws *Ways) find(by Way) *way {
	if by == (Way{}) {
		return ws.login
	}
	return ws.byName[by]
}

// all are login, the other ways and the exchanges.
func (ws *Ways) all() []*way {
	var all []*way
	if ws.login != nil {
		all = append(all, ws.login)
	}
	return slices.AppendSeq(all, maps.Values(ws.byName))
}

func (m *compiler) compileLogin() error {
	c := m.cfg.Login
	if c == nil {
		return nil
	}
	if _, ok := c.Credential[credential.AccessToken]; !ok {
		return within("login", errors.New("credential has no access_token"))
	}
	w, err := m.way(Way{}, "login", c)
	m.u.Ways.login = w
	return err
}

func (m *compiler) compileWays() error {
	var failed []error
	for exchange, list := range map[bool]map[string]*configs.Way{false: m.cfg.Ways, true: m.cfg.Exchanges} {
		kind := "ways."
		if exchange {
			kind = "exchanges."
		}
		for name, c := range list {
			by := Way{name, exchange}
			w, err := m.way(by, kind+name, c.AsLogin())
			if err != nil {
				failed = append(failed, err)
				continue
			}
			w.fields = c.Fields
			w.userInherited = m.cfg.Login != nil && c.User == m.cfg.Login.User
			m.u.Ways.byName[by] = w
		}
	}
	return errors.Join(failed...)
}

// way compiles a way. key is where it stands below the upstream.
func (m *compiler) way(by Way, key string, c *configs.Login) (*way, error) {
	w := &way{Exchange: &Exchange{Name: by.String(), Key: m.key(key), timeout: orDefault(c.Timeout, defaultTimeout)},
		steps: map[string]*step{}, exchanges: by.Exchange}
	send := m.u.send.Constant()
	if by.Exchange {
		send = m.u.send
	}
	var failed [4]error
	w.request, failed[0] = m.request(c.Request, http.MethodPost, send)
	w.Rules, failed[1] = rules(c.Answers, c.Rejected, c.Presumed, mapping.InvalidCredentials)
	w.Places, failed[2] = m.places(c.Credential)
	w.user, failed[3] = m.userSource(c.User)
	if err := errors.Join(within(key, errors.Join(failed[:3]...)), within(key+".user", failed[3])); err != nil {
		return nil, err
	}
	return w, within(key+".steps", m.waySteps(w, key, c.Steps))
}

// waySteps compiles the steps of a way, and tests that answers name only those.
func (m *compiler) waySteps(w *way, key string, steps map[string]*configs.Step) error {
	var failed []error
	for name, c := range steps {
		s, err := m.step(name, m.key(key+".steps."+name), w, c)
		failed = append(failed, within(name, err))
		w.steps[name] = s
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	failed = append(failed, w.checkSteps(w.Rules))
	for _, s := range w.steps {
		failed = append(failed, w.checkSteps(s.Rules))
	}
	return errors.Join(failed...)
}

// Fields are what a page must send for a way or an exchange; a trailing "?" marks an
// optional one. Those of login are the frontend's.
func (ws *Ways) Fields(by Way) []string {
	if w := ws.find(by); w != nil {
		return w.fields
	}
	return nil
}

// Timeout bounds each request of a way.
func (ws *Ways) Timeout(by Way) time.Duration {
	if w := ws.find(by); w != nil {
		return w.timeout
	}
	return 0
}
