package signin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/configs"
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

// step is what follows an answer.
type step struct {
	*exchange
	fields []string
	keeps  map[string]*place
}

// compileSteps compiles login's steps, and tests that answers name only those.
func (m *mapping) compileSteps() error {
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
	failed = append(failed, m.checkSteps(m.u.login.rules))
	for _, s := range m.u.steps {
		failed = append(failed, m.checkSteps(s.rules))
	}
	return errors.Join(failed...)
}

// step compiles one step. What it does not name the configuration took from login.
func (m *mapping) step(name string, c *configs.Step) (*step, error) {
	if c == nil || c.Answers == nil {
		return nil, errors.New("step is empty")
	}
	s := &step{fields: c.Fields, keeps: map[string]*place{}, exchange: &exchange{what: "step " + name, key: m.key("login.steps." + name), timeout: m.u.login.timeout}}
	failed := make([]error, 3, 3+len(c.Keep))
	s.request, failed[0] = m.request(c.Request, "POST", m.u.constants)
	s.rules, failed[1] = newRules(*c.Answers, c.Rejected, InvalidCredentials)
	s.places, failed[2] = m.places(c.Credential)
	for value, at := range c.Keep {
		p, err := newPlace(at)
		failed = append(failed, within("keep."+value, err))
		s.keeps[value] = p
	}
	return s, errors.Join(failed...)
}

func (m *mapping) checkSteps(r *rules) error {
	for _, line := range r.list {
		if line.step != "" && m.u.steps[line.step] == nil {
			return fmt.Errorf("answers name a step %q that is not there", line.step)
		}
	}
	return nil
}

// keep takes what the step needs from a, beside what earlier steps kept.
func (s *step) keep(a *answer, earlier map[string]credential.Secret) (map[string]credential.Secret, error) {
	kept := map[string]credential.Secret{}
	maps.Copy(kept, earlier)
	for name, at := range s.keeps {
		raw, _ := at.take(a)
		secret := keep(raw)
		if secret.IsEmpty() || secret.Len() > maxValue {
			return nil, invalid("no usable %s in it, which a step needs", name)
		}
		kept[name] = secret
	}
	return kept, nil
}

// Continue goes on with a sign-in at the step that a [Pending] named, with what
// it kept and what the page sent. It fails as [Upstream.SignIn] does; a
// [Refusal] with [MFARequired] says that the same step may be tried again.
func (u *Upstream) Continue(ctx context.Context, name string, kept, fields map[string]credential.Secret, c Caller, now time.Time) (*SignedIn, error) {
	s := u.steps[name]
	if s == nil {
		return nil, u.wrap("step", invalid("the mapping has no such step"))
	}
	return u.walk(ctx, s.exchange, &values{kept: kept, fields: fields, caller: c}, now)
}

func contains(names []string, name string) bool { return slices.Contains(names, name) }
