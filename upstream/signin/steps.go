package signin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
)

// Pending is a sign-in that waits for more from the person.
type Pending struct {
	// Name of the step, for [Upstream.Continue].
	Name string
	// Fields that the page must send; a trailing "?" marks an optional one.
	Fields []string
	// Kept are values that the next request needs. They open something: they are
	// to be sealed like a credential and never shown.
	Kept map[string]credential.Secret
}

// step is what follows a response.
type step struct {
	*Exchange
	fields []string
	keeps  map[string]mapping.Place
}

// compileSteps compiles login's steps, and tests that answers name only those.
func (m *compiler) compileSteps() error {
	if m.cfg.Login == nil || m.u.login == nil {
		return nil
	}
	m.u.steps = map[string]*step{}
	var failed []error
	for name, c := range m.cfg.Login.Steps {
		s, err := m.step(name, c)
		failed = append(failed, within(name, err))
		m.u.steps[name] = s
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	failed = append(failed, m.checkSteps(m.u.login.Rules))
	for _, s := range m.u.steps {
		failed = append(failed, m.checkSteps(s.Rules))
	}
	return errors.Join(failed...)
}

// step compiles one step. What it does not name the configuration took from login.
func (m *compiler) step(name string, c *configs.Step) (*step, error) {
	if c == nil || c.Answers == nil {
		return nil, errors.New("step is empty")
	}
	s := &step{fields: c.Fields, keeps: c.Keep, Exchange: &Exchange{Name: "step " + name, Key: m.key("login.steps." + name), timeout: m.u.login.timeout}}
	failed := make([]error, 3, 3+len(c.Keep))
	s.request, failed[0] = m.request(c.Request, http.MethodPost, m.u.send.Constant())
	s.Rules, failed[1] = rules(*c.Answers, c.Rejected, mapping.InvalidCredentials)
	s.Places, failed[2] = m.places(c.Credential)
	for value, at := range c.Keep {
		failed = append(failed, within("keep."+value, mapping.Join(at.Faults())))
	}
	return s, errors.Join(failed...)
}

func (m *compiler) checkSteps(r *mapping.Rules) error {
	for _, line := range r.List {
		if line.Step != "" && m.u.steps[line.Step] == nil {
			return fmt.Errorf("answers name a step %q that is not there", line.Step)
		}
	}
	return nil
}

// Continue goes on with a sign-in at the step that a [Pending] named, with what
// it kept and what the page sent. It fails as [Upstream.SignIn] does; a
// [mapping.Refusal] with [mapping.MFARequired] says that the same step may be tried again.
func (u *Upstream) Continue(ctx context.Context, name string, kept, fields map[string]credential.Secret, c mapping.Caller, now time.Time) (*SignedIn, error) {
	s := u.steps[name]
	if s == nil {
		return nil, u.wrap("step", mapping.Invalid("the mapping has no such step"))
	}
	return u.walk(ctx, s.Exchange, &mapping.Values{Kept: kept, Fields: fields, Caller: c}, now)
}
