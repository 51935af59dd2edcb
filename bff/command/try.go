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
	// Account of Upstream to sign in with instead of a person.
	Account string
	// Caller whose sample call is signed and sent; To is the address of the running
	// Coatcheck, where it is not the one that the configuration says.
	Caller, To string
	// Frontend whose fields are asked for; "": the first that signs in there.
	Frontend string
	// Way to sign in by, and Exchange to make once signed in, of those that Frontend lists;
	// "": login's, and none.
	Way, Exchange string
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
	by       signin.Way // how the person signs in
	caller   mapping.Caller
	shown    *trial.Trial
}

// Try signs in once and shows what the mapping makes of it. No secret is printed, and
// none is taken from the command line, where other programs could read it. Errors:
// [ErrRefused] where the sign-in, a renewal or a sign-out failed, or a [Failure].
func (p *Program) Try(ctx context.Context, o TryOptions) error {
	config, err := p.loadServingNobody(o.File)
	if err != nil {
		return err
	}
	switch {
	case (o.Way != "" || o.Exchange != "") && (o.Caller != "" || o.Provider != "" || o.Account != ""):
		return errors.New("--way and --exchange are for people who sign in at an upstream, not for --provider, --account or --caller")
	case o.Caller != "":
		return p.tryCaller(ctx, config, o)
	case o.Provider != "":
		return p.tryProvider(ctx, config, o)
	case o.Account != "":
		return p.tryAccount(ctx, config, o)
	}
	if o.Upstream == "" {
		if o.Upstream, err = onlyUpstream(config); err != nil {
			return err
		}
	}
	frontend, err := signsInAt(config, o)
	if err != nil {
		return err
	}
	ups, err := signin.New(config.Upstreams, signin.Options{})
	if err != nil {
		return Failure{err}
	}
	defer ups.Close()
	t := &attempt{Program: p, ask: newPrompter(p.Stdin, p.Stderr), api: ups.Get(o.Upstream), frontend: frontend, by: signin.Way{Name: o.Way}}
	t.caller = mapping.Caller{UserAgent: "Coatcheck try", RequestID: "try", ForwardedHost: strings.Replace(frontend.Hosts()[0], "*", "any", 1), ForwardedProto: frontend.Scheme()}
	t.shown = trial.New(painter{p.Stdout, terminal.Of(p.Stdout, p.Getenv)}.line)
	return t.run(signin.WithTrace(ctx, t.shown.Hooks()), o)
}

// tryProvider signs in once at a provider.
func (p *Program) tryProvider(ctx context.Context, config *configs.Config, o TryOptions) error {
	if o.Upstream != "" {
		return errors.New("use either --upstream or --provider")
	}
	if config.Providers[o.Provider] == nil {
		return fmt.Errorf("no provider %q; %s", o.Provider, choices("providers", slices.Sorted(maps.Keys(config.Providers))))
	}
	t := ProviderTrial{Config: config, Provider: o.Provider, Listen: o.Listen, Paste: o.Paste, In: p.Stdin, Out: p.Stdout}
	if err := t.Run(ctx); err != nil {
		fmt.Fprintln(p.Stderr, err)
		return ErrRefused
	}
	return nil
}

// signsInAt finds the frontend whose people sign in at an upstream by the way, and may
// make the exchange, that are to be tried.
func signsInAt(config *configs.Config, o TryOptions) (*configs.Frontend, error) {
	if config.Upstreams[o.Upstream] == nil || config.Upstreams[o.Upstream].Login == nil {
		return nil, fmt.Errorf("no upstream %q with a login; %s", o.Upstream, choices("upstreams with a login", signInUpstreams(config)))
	}
	var frontends, ways, exchanges []string
	for _, name := range slices.Sorted(maps.Keys(config.Frontends)) {
		f := config.Frontends[name]
		if f.Login.Upstream != o.Upstream {
			continue
		}
		frontends = append(frontends, name)
		if o.Frontend != "" && o.Frontend != name {
			continue
		}
		if offers(&f.Login, o) {
			return f, nil
		}
		ways, exchanges = append(ways, f.Login.Ways...), append(exchanges, f.Login.Exchanges...)
	}
	switch {
	case o.Frontend != "" && !slices.Contains(frontends, o.Frontend):
		return nil, fmt.Errorf("no frontend %q signs in at %s; %s", o.Frontend, o.Upstream, choices("frontends", frontends))
	case o.Way == "" && o.Exchange == "":
		return nil, fmt.Errorf("no frontend signs in at %s with fields of its own: --way is needed; %s", o.Upstream, choices("ways", unique(ways)))
	}
	return nil, fmt.Errorf("no frontend of %s lists what is to be tried; %s; %s", o.Upstream, choices("ways", unique(ways)), choices("exchanges", unique(exchanges)))
}

// onlyUpstream is the upstream to try where the command line names none.
func onlyUpstream(config *configs.Config) (string, error) {
	names := signInUpstreams(config)
	if len(names) == 1 {
		return names[0], nil
	}
	return "", errors.New("--upstream or --provider is needed; " + choices("upstreams with a login", names) +
		"; " + choices("providers", slices.Sorted(maps.Keys(config.Providers))))
}

// signInUpstreams are the upstreams at which people sign in.
func signInUpstreams(config *configs.Config) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(config.Upstreams)), func(name string) bool { return config.Upstreams[name].Login == nil })
}

// choices lists names for an error.
func choices(what string, names []string) string {
	return what + ": " + cmp.Or(strings.Join(names, ", "), "none")
}

func (t *attempt) run(ctx context.Context, o TryOptions) error {
	fmt.Fprintln(t.Stdout, "Secrets are masked: {name} stands for a value that is filled in, [text, 57] for\ntext of 57 characters.")
	fields, err := t.fields()
	if err != nil {
		return Failure{err}
	}
	in, err := t.signIn(ctx, fields)
	t.told(in, err)
	if err != nil {
		return ErrRefused
	}
	if in.Accepted {
		return nil
	}
	held := in.Credential
	t.ends(held)
	failed := error(nil)
	if o.Exchange != "" {
		held, failed = t.exchange(ctx, o.Exchange, in)
	}
	if o.Refresh {
		if next, err := t.refresh(ctx, held); err != nil {
			failed = ErrRefused // and signs out all the same, or a token would be left behind
		} else {
			held = next
		}
	}
	if o.Logout {
		return cmp.Or(failed, t.logout(ctx, held))
	}
	if t.api.CanSignOut() {
		fmt.Fprintln(t.Stdout, "\nThe token stays valid at the API; --logout would have ended it.")
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
		in, err := t.api.Ways.ContinueBy(ctx, t.by, p.Name, &mapping.Values{Kept: p.Kept, Fields: fields, Caller: t.caller}, time.Now())
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
	if in.Accepted {
		fmt.Fprintln(t.Stdout, "A browser would see: 200 {\"authenticated\":false}\n  The API took it, and lets nobody in yet.")
		return
	}
	shown := mapping.Exposed(in.User, t.frontend.Login.Expose)
	t.shown.Tell("A browser would see: 200 ", map[string]any{"authenticated": true, "user": shown})
	for _, name := range t.frontend.Login.Expose {
		if len(mapping.Exposed(in.User, []string{name})) == 0 {
			fmt.Fprintf(t.Stdout, "  expose lists %s, which this user does not have\n", name)
		}
	}
	if rest := hidden(in.User, shown); len(rest) > 0 {
		fmt.Fprintf(t.Stdout, "  hidden from the browser (not in expose): %s\n", strings.Join(rest, ", "))
	}
	if in.Subject == "" {
		fmt.Fprintln(t.Stdout, "  No subject (user.subject): this person's sessions cannot be listed or ended\n  together.")
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
		fmt.Fprintf(t.Stdout, "  the log would show:\n  %v\n", err)
	}
}

// hidden are the names of the user's fields that no page sees.
func hidden(user map[string]json.RawMessage, shown map[string]any) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(user)), func(name string) bool { return shown[name] != nil })
}

// ends says how long it all lasts.
func (t *attempt) ends(c *credential.Credential) {
	fmt.Fprintf(t.Stdout, "\nAccess token expires in: %s\n", left(c.Expires))
	switch {
	case t.api.Renews(c):
		fmt.Fprintf(t.Stdout, "It is renewed %s before that.\nRefresh token expires in: %s\n", t.api.RefreshBefore(), left(c.RefreshExpires))
		if before := t.api.RefreshBefore(); !c.Expires.IsZero() && time.Until(c.Expires) <= before {
			fmt.Fprintln(t.Stdout, "That is sooner than refresh.before: every call would renew it.")
		}
	case !c.Expires.IsZero():
		fmt.Fprintln(t.Stdout, "It cannot be renewed: the session ends with it.")
	case t.api.CanVerify():
		fmt.Fprintln(t.Stdout, "It cannot be renewed: the API is asked (verify) when it refuses a call.")
	default:
		fmt.Fprintln(t.Stdout, "It cannot be renewed, and its expiry is unknown: pages will see the API's 401.\nConsider verify.")
	}
}

func left(end time.Time) string {
	if end.IsZero() {
		return "unknown (not in the response)"
	}
	return time.Until(end).Round(time.Second).String()
}

func (t *attempt) refresh(ctx context.Context, held *credential.Credential) (*credential.Credential, error) {
	t.title("refresh")
	if !t.api.Renews(held) {
		fmt.Fprintln(t.Stdout, "Nothing to renew with: no refresh in the mapping, or no refresh token in the\nresponse.")
		return nil, ErrRefused
	}
	next, err := t.api.Refresh(ctx, held, t.caller, time.Now())
	var refusal *mapping.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Meaning == mapping.SessionExpired:
		fmt.Fprintln(t.Stdout, "\nThe API refused the refresh token: the session would end (401 session_expired).")
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
		fmt.Fprintln(t.Stdout, "The mapping has no logout: the token stays valid at the API until it expires.")
		return nil
	}
	if err := t.api.SignOut(ctx, held, t.caller); err != nil {
		fmt.Fprintf(t.Stdout, "\nThe API was not notified:\n  %v\n", err)
		return ErrRefused
	}
	fmt.Fprintln(t.Stdout, "\nThe API was notified; the local session is removed either way.")
	return nil
}

func (t *attempt) title(what string) { fmt.Fprintf(t.Stdout, "\n== %s\n", what) }
