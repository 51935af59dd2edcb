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
	// Name of the step, for [Ways.Continue].
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

// step compiles one step. What it does not name the configuration took from its way.
func (m *compiler) step(name, key string, w *way, c *configs.Step) (*step, error) {
	if c == nil || c.Answers == nil {
		return nil, errors.New("step is empty")
	}
	s := &step{fields: c.Fields, keeps: c.Keep, Exchange: &Exchange{Name: "step " + name, Key: key, timeout: w.timeout}}
	failed := make([]error, 3, 3+len(c.Keep))
	s.request, failed[0] = m.request(c.Request, http.MethodPost, w.request.send)
	s.Rules, failed[1] = rules(*c.Answers, c.Rejected, c.Presumed, mapping.InvalidCredentials)
	s.Places, failed[2] = m.places(c.Credential)
	for value, at := range c.Keep {
		failed = append(failed, within("keep."+value, mapping.Join(at.Faults())))
	}
	return s, errors.Join(failed...)
}

// checkSteps tests that answers name only steps of the way.
func (w *way) checkSteps(r *mapping.Rules) error {
	for _, line := range r.List {
		if line.Step != "" && w.steps[line.Step] == nil {
			return fmt.Errorf("answers name a step %q that is not there", line.Step)
		}
	}
	return nil
}

// Continue goes on with a sign-in by login at the step that a [Pending] named, with what
// it kept and what the page sent. It fails as [Ways.SignIn] does; a
// [mapping.Refusal] with [mapping.MFARequired] says that the same step may be tried again.
func (ws *Ways) Continue(ctx context.Context, name string, kept, fields map[string]credential.Secret, c mapping.Caller, now time.Time) (*SignedIn, error) {
	return ws.ContinueBy(ctx, Way{}, name, &mapping.Values{Kept: kept, Fields: fields, Caller: c}, now)
}

// ContinueBy is [Ways.Continue] for any way.
func (ws *Ways) ContinueBy(ctx context.Context, by Way, name string, v *mapping.Values, now time.Time) (*SignedIn, error) {
	w := ws.find(by)
	if w == nil || w.steps[name] == nil {
		return nil, ws.up.wrap("step", mapping.Invalid("the mapping has no such step"))
	}
	return ws.walk(ctx, w, w.steps[name].Exchange, v, now)
}
