package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/server"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
	"coatcheck/upstream/mapping"
	"coatcheck/upstream/signin"
	"coatcheck/upstream/trial"
)

// TryOptions say what a trial does.
type TryOptions struct {
	// File is the configuration, Upstream the API to sign in at.
	File, Upstream string
	// Frontend whose fields are asked for; "": the first that signs in there.
	Frontend string
	// Provider to sign in at instead of an API. Listen is the loopback address that the
	// browser comes back to; with Paste it uses the registered redirect URI, and the
	// operator pastes where the browser ended.
	Provider, Listen string
	Paste            bool
	// Refresh renews the token as well, Logout signs out at the API at the end.
	Refresh, Logout bool
}

// attempt is one sign-in against the real API, shown to an operator.
type attempt struct {
	*Program
	ask      *prompter
	api      *signin.Upstream
	frontend *configs.Frontend
	caller   mapping.Caller
	shown    *trial.Trial
}

// Try signs in once and shows what the mapping makes of it. No secret is printed, and
// none is taken from the command line, where other programs could read it. Errors:
// [ErrRefused] where the sign-in, a renewal or a sign-out failed, or a [Failure].
func (p *Program) Try(ctx context.Context, o TryOptions) error {
	config, err := p.load(o.File)
	if err != nil {
		return err
	}
	if o.Provider != "" {
		return p.tryProvider(ctx, config, o)
	}
	if o.Upstream == "" {
		return errors.New("try takes -upstream or -provider")
	}
	frontend, err := signsInAt(config, o.Upstream, o.Frontend)
	if err != nil {
		return err
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return Failure{err}
	}
	defer ups.Close()
	t := &attempt{Program: p, ask: newPrompter(p.Stdin, p.Stderr), api: ups.Get(o.Upstream), frontend: frontend}
	t.caller = mapping.Caller{UserAgent: "Coatcheck try", RequestID: "try", ForwardedHost: strings.Replace(frontend.Hosts()[0], "*", "any", 1), ForwardedProto: frontend.Scheme()}
	t.shown = trial.New(painter{p.Stdout, terminal.Of(p.Stdout, p.Getenv)}.line)
	return t.run(signin.WithTrace(ctx, t.shown.Hooks()), o.Refresh, o.Logout)
}

// tryProvider signs in once at a provider.
func (p *Program) tryProvider(ctx context.Context, config *configs.Config, o TryOptions) error {
	if config.Providers[o.Provider] == nil || o.Upstream != "" {
		return fmt.Errorf("no provider %q, or an upstream besides", o.Provider)
	}
	t := ProviderTrial{Config: config, Provider: o.Provider, Listen: o.Listen, Paste: o.Paste, In: p.Stdin, Out: p.Stdout}
	if err := t.Run(ctx); err != nil {
		fmt.Fprintln(p.Stderr, err)
		return ErrRefused
	}
	return nil
}

// signsInAt finds the frontend whose people sign in at an upstream.
func signsInAt(config *configs.Config, api, name string) (*configs.Frontend, error) {
	if config.Upstreams[api] == nil || config.Upstreams[api].Login == nil {
		return nil, fmt.Errorf("no upstream %q where people sign in", api)
	}
	for _, candidate := range slices.Sorted(maps.Keys(config.Frontends)) {
		f := config.Frontends[candidate]
		if (name == "" || name == candidate) && f.Login.Upstream == api {
			return f, nil
		}
	}
	return nil, errors.New("no such frontend signs in there")
}

func (t *attempt) run(ctx context.Context, refresh, logout bool) error {
	fmt.Fprintln(t.Stdout, "Secrets are not shown: {name} stands for a value that is put in, [text, 57] for\na text of 57 characters.")
	t.title("sign-in")
	fields, err := t.ask.fields(t.frontend.Login.Fields)
	if err != nil {
		return Failure{err}
	}
	in, err := t.api.SignIn(ctx, fields, t.caller, time.Now())
	for err == nil && in.Step != nil {
		in, err = t.step(ctx, in.Step)
	}
	t.told(in, err)
	if err != nil {
		return ErrRefused
	}
	held := in.Credential
	t.ends(held)
	failed := error(nil)
	if refresh {
		if next, err := t.refresh(ctx, held); err != nil {
			failed = ErrRefused // and signs out all the same, or a token would be left behind
		} else {
			held = next
		}
	}
	if logout {
		return cmp.Or(failed, t.logout(ctx, held))
	}
	if t.api.CanSignOut() {
		fmt.Fprintln(t.Stdout, "\nThe token lives on at the API; -logout would have ended it.")
	}
	return failed
}

// codeTries is how many codes may be typed, as in a browser.
const codeTries = 5

// step asks for what a step needs, again where the code was wrong.
func (t *attempt) step(ctx context.Context, p *signin.Pending) (*signin.SignedIn, error) {
	fmt.Fprintln(t.Stdout)
	t.shown.Tell("A browser would see: 200 ", struct {
		Authenticated bool     `json:"authenticated"`
		Step          string   `json:"step"`
		Fields        []string `json:"fields"`
	}{false, p.Name, p.Fields})
	t.title("step " + p.Name)
	for tries := 1; ; tries++ {
		fields, err := t.ask.fields(p.Fields)
		if err != nil {
			return nil, err
		}
		in, err := t.api.Continue(ctx, p.Name, p.Kept, fields, t.caller, time.Now())
		var refusal *mapping.Refusal
		if tries == codeTries || !errors.As(err, &refusal) || refusal.Meaning != mapping.MFARequired {
			return in, err
		}
		t.told(nil, err)
	}
}

// told says what a browser would see.
func (t *attempt) told(in *signin.SignedIn, err error) {
	fmt.Fprintln(t.Stdout)
	if err != nil {
		t.refused(server.ProblemOf(err), err)
		return
	}
	shown := map[string]json.RawMessage{}
	for _, name := range t.frontend.Login.Expose {
		if field, ok := in.User[name]; ok {
			shown[name] = field
		}
	}
	t.shown.Tell("A browser would see: 200 ", map[string]any{"authenticated": true, "user": shown})
	for _, name := range t.frontend.Login.Expose {
		if _, ok := in.User[name]; !ok {
			fmt.Fprintf(t.Stdout, "  expose names %s, which this user does not have\n", name)
		}
	}
	if rest := hidden(in.User, t.frontend.Login.Expose); len(rest) > 0 {
		fmt.Fprintf(t.Stdout, "  and not: %s\n", strings.Join(rest, ", "))
	}
	if in.Subject == "" {
		fmt.Fprintln(t.Stdout, "  Nobody is named: this person's sessions cannot be listed or ended together\n  (user.subject).")
	}
}

// refused is what a browser would see of a refusal.
func (t *attempt) refused(p *problem.Problem, err error) {
	fmt.Fprintf(t.Stdout, "A browser would see: %d %s\n", p.Status, p.Code)
	if p.RetryAfter > 0 {
		fmt.Fprintf(t.Stdout, "  Retry-After: %d\n", int(p.RetryAfter.Seconds()))
	}
	if len(p.Fields) > 0 {
		fmt.Fprintf(t.Stdout, "  fields: %s\n", strings.Join(p.Fields, ", "))
	}
	if p.Status >= 500 {
		fmt.Fprintf(t.Stdout, "  the log would say:\n  %v\n", err)
	}
}

// hidden are the names of the user's fields that no page sees.
func hidden(user map[string]json.RawMessage, expose []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(user)), func(name string) bool { return slices.Contains(expose, name) })
}

// ends says how long it all lasts.
func (t *attempt) ends(c *credential.Credential) {
	fmt.Fprintf(t.Stdout, "\nThe access token ends in: %s\n", left(c.Expires))
	switch {
	case t.api.Renews(c):
		fmt.Fprintf(t.Stdout, "It is renewed %s before.\nWhat renews it ends in:   %s\n", t.api.RefreshBefore(), left(c.RefreshExpires))
		if before := t.api.RefreshBefore(); !c.Expires.IsZero() && time.Until(c.Expires) <= before {
			fmt.Fprintln(t.Stdout, "That is sooner than refresh.before: every call would renew it.")
		}
	case !c.Expires.IsZero():
		fmt.Fprintln(t.Stdout, "It cannot be renewed: the session ends with it.")
	case t.api.CanVerify():
		fmt.Fprintln(t.Stdout, "It cannot be renewed: the API is asked (verify) when it refuses a call.")
	default:
		fmt.Fprintln(t.Stdout, "It cannot be renewed, and nobody tells when it ends: pages will see the API's 401.\nConsider verify.")
	}
}

func left(end time.Time) string {
	if end.IsZero() {
		return "unknown, the answer does not tell"
	}
	return time.Until(end).Round(time.Second).String()
}

func (t *attempt) refresh(ctx context.Context, held *credential.Credential) (*credential.Credential, error) {
	t.title("refresh")
	if !t.api.Renews(held) {
		fmt.Fprintln(t.Stdout, "There is nothing to renew with: no refresh in the mapping, or no refresh token in\nthe answer.")
		return nil, ErrRefused
	}
	next, err := t.api.Refresh(ctx, held, t.caller, time.Now())
	var refusal *mapping.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Meaning == mapping.SessionExpired:
		fmt.Fprintln(t.Stdout, "\nThe refresh token is dead: the session would end (401 session_expired).")
		return nil, err
	case err != nil:
		fmt.Fprintf(t.Stdout, "\nNot renewed, to be tried again later; the session would stay:\n  %v\n", err)
		return nil, err
	}
	was, is := held.Value(credential.RefreshToken), next.Value(credential.RefreshToken)
	fmt.Fprintf(t.Stdout, "\nRenewed. The refresh token is %s.\n", map[bool]string{true: "the old one", false: "a new one"}[was.Equal(is)])
	t.ends(next)
	return next, nil
}

func (t *attempt) logout(ctx context.Context, held *credential.Credential) error {
	t.title("sign-out")
	if !t.api.CanSignOut() {
		fmt.Fprintln(t.Stdout, "The mapping has no logout: the token lives on at the API until it ends.")
		return nil
	}
	if err := t.api.SignOut(ctx, held, t.caller); err != nil {
		fmt.Fprintf(t.Stdout, "\nThe API was not told:\n  %v\n", err)
		return ErrRefused
	}
	fmt.Fprintln(t.Stdout, "\nTold. Whatever the API answers, the session here is gone.")
	return nil
}

func (t *attempt) title(what string) { fmt.Fprintf(t.Stdout, "\n== %s\n", what) }
