package main

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

	"coatcheck/bff/command"
	"coatcheck/bff/credential"
	"coatcheck/bff/problem"
	"coatcheck/bff/server"
	"coatcheck/configs"
	"coatcheck/upstream"

	"github.com/urfave/cli/v3"
)

func tryFlags(file cli.Flag) []cli.Flag {
	return []cli.Flag{file,
		&cli.StringFlag{Name: "upstream", Usage: "`NAME` of the API to sign in at"},
		&cli.StringFlag{Name: "provider", Usage: "`NAME` of the provider to sign in at, instead of an API"},
		&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8765", Usage: "loopback `ADDRESS` that the browser comes back to from a provider"},
		&cli.BoolFlag{Name: "paste", Usage: "use the registered redirect URI, and paste where the browser ended"},
		&cli.StringFlag{Name: "frontend", Usage: "`NAME` of the frontend whose fields are asked for; default: the first that signs in there"},
		&cli.BoolFlag{Name: "refresh", Usage: "renew the token as well"},
		&cli.BoolFlag{Name: "logout", Usage: "sign out at the API at the end"}}
}

// trial is one sign-in against the real API, told to an operator.
type trial struct {
	*program
	ask      *prompter
	api      *upstream.Upstream
	frontend *configs.Frontend
	caller   upstream.Caller
}

// try signs in once and shows what the mapping makes of it. No secret is printed, and
// none is taken from the command line, where other programs could read it.
func (p *program) try(ctx context.Context, c *cli.Command) error {
	config, faults := configs.Load(c.String("config"), p.getenv)
	if p.report(faults) > 0 {
		return errRefused
	}
	if name := c.String("provider"); name != "" {
		return p.tryProvider(ctx, c, config, name)
	}
	if c.String("upstream") == "" {
		return errors.New("try takes -upstream or -provider")
	}
	frontend, err := signsInAt(config, c.String("upstream"), c.String("frontend"))
	if err != nil {
		return err
	}
	ups, err := upstream.New(config.Upstreams, upstream.Options{})
	if err != nil {
		return failure{err}
	}
	defer ups.Close()
	t := &trial{program: p, ask: newPrompter(p.stdin, p.stderr), api: ups.Get(c.String("upstream")), frontend: frontend}
	t.caller = upstream.Caller{UserAgent: "Coatcheck try", RequestID: "try", ForwardedHost: frontend.Hosts()[0], ForwardedProto: frontend.Scheme()}
	ctx = upstream.WithTrace(ctx, newPainter(p.stdout, p.getenv).line)
	return t.run(ctx, c.Bool("refresh"), c.Bool("logout"))
}

// tryProvider signs in once at a provider.
func (p *program) tryProvider(ctx context.Context, c *cli.Command, config *configs.Config, name string) error {
	if config.Providers[name] == nil || c.String("upstream") != "" {
		return fmt.Errorf("no provider %q, or an upstream besides", name)
	}
	t := command.ProviderTrial{Config: config, Provider: name, Listen: c.String("listen"), Paste: c.Bool("paste"), In: p.stdin, Out: p.stdout}
	if err := t.Run(ctx); err != nil {
		fmt.Fprintln(p.stderr, err)
		return errRefused
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

func (t *trial) run(ctx context.Context, refresh, logout bool) error {
	fmt.Fprintln(t.stdout, "Secrets are not shown: {name} stands for a value that is put in, [text, 57] for\na text of 57 characters.")
	t.title("sign-in")
	fields, err := t.ask.fields(t.frontend.Login.Fields)
	if err != nil {
		return failure{err}
	}
	in, err := t.api.SignIn(ctx, fields, t.caller, time.Now())
	for err == nil && in.Step != nil {
		in, err = t.step(ctx, in.Step)
	}
	t.told(ctx, in, err)
	if err != nil {
		return errRefused
	}
	held := in.Credential
	t.ends(held)
	failed := error(nil)
	if refresh {
		if next, err := t.refresh(ctx, held); err != nil {
			failed = errRefused // and signs out all the same, or a token would be left behind
		} else {
			held = next
		}
	}
	if logout {
		return cmp.Or(failed, t.logout(ctx, held))
	}
	if t.api.CanSignOut() {
		fmt.Fprintln(t.stdout, "\nThe token lives on at the API; -logout would have ended it.")
	}
	return failed
}

// codeTries is how many codes may be typed, as in a browser.
const codeTries = 5

// step asks for what a step needs, again where the code was wrong.
func (t *trial) step(ctx context.Context, p *upstream.Pending) (*upstream.SignedIn, error) {
	fmt.Fprintln(t.stdout)
	upstream.Tell(ctx, "A browser would see: 200 ", struct {
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
		var refusal *upstream.Refusal
		if tries == codeTries || !errors.As(err, &refusal) || refusal.Meaning != upstream.MFARequired {
			return in, err
		}
		t.told(ctx, nil, err)
	}
}

// told says what a browser would see.
func (t *trial) told(ctx context.Context, in *upstream.SignedIn, err error) {
	fmt.Fprintln(t.stdout)
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
	upstream.Tell(ctx, "A browser would see: 200 ", map[string]any{"authenticated": true, "user": shown})
	for _, name := range t.frontend.Login.Expose {
		if _, ok := in.User[name]; !ok {
			fmt.Fprintf(t.stdout, "  expose names %s, which this user does not have\n", name)
		}
	}
	if rest := hidden(in.User, t.frontend.Login.Expose); len(rest) > 0 {
		fmt.Fprintf(t.stdout, "  and not: %s\n", strings.Join(rest, ", "))
	}
	if in.Subject == "" {
		fmt.Fprintln(t.stdout, "  Nobody is named: this person's sessions cannot be listed or ended together\n  (user.subject).")
	}
}

// refused is what a browser would see of a refusal.
func (t *trial) refused(p *problem.Problem, err error) {
	fmt.Fprintf(t.stdout, "A browser would see: %d %s\n", p.Status, p.Code)
	if p.RetryAfter > 0 {
		fmt.Fprintf(t.stdout, "  Retry-After: %d\n", int(p.RetryAfter.Seconds()))
	}
	if len(p.Fields) > 0 {
		fmt.Fprintf(t.stdout, "  fields: %s\n", strings.Join(p.Fields, ", "))
	}
	if p.Status >= 500 {
		fmt.Fprintf(t.stdout, "  the log would say:\n  %v\n", err)
	}
}

// hidden are the names of the user's fields that no page sees.
func hidden(user map[string]json.RawMessage, expose []string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(user)), func(name string) bool { return slices.Contains(expose, name) })
}

// ends says how long it all lasts.
func (t *trial) ends(c *credential.Credential) {
	fmt.Fprintf(t.stdout, "\nThe access token ends in: %s\n", left(c.Expires))
	switch {
	case t.api.Renews(c):
		fmt.Fprintf(t.stdout, "It is renewed %s before.\nWhat renews it ends in:   %s\n", t.api.RefreshBefore(), left(c.RefreshExpires))
		if before := t.api.RefreshBefore(); !c.Expires.IsZero() && time.Until(c.Expires) <= before {
			fmt.Fprintln(t.stdout, "That is sooner than refresh.before: every call would renew it.")
		}
	case !c.Expires.IsZero():
		fmt.Fprintln(t.stdout, "It cannot be renewed: the session ends with it.")
	case t.api.CanVerify():
		fmt.Fprintln(t.stdout, "It cannot be renewed: the API is asked (verify) when it refuses a call.")
	default:
		fmt.Fprintln(t.stdout, "It cannot be renewed, and nobody tells when it ends: pages will see the API's 401.\nConsider verify.")
	}
}

func left(end time.Time) string {
	if end.IsZero() {
		return "unknown, the answer does not tell"
	}
	return time.Until(end).Round(time.Second).String()
}

func (t *trial) refresh(ctx context.Context, held *credential.Credential) (*credential.Credential, error) {
	t.title("refresh")
	if !t.api.Renews(held) {
		fmt.Fprintln(t.stdout, "There is nothing to renew with: no refresh in the mapping, or no refresh token in\nthe answer.")
		return nil, errRefused
	}
	next, err := t.api.Refresh(ctx, held, t.caller, time.Now())
	var refusal *upstream.Refusal
	switch {
	case errors.As(err, &refusal) && refusal.Meaning == upstream.SessionExpired:
		fmt.Fprintln(t.stdout, "\nThe refresh token is dead: the session would end (401 session_expired).")
		return nil, err
	case err != nil:
		fmt.Fprintf(t.stdout, "\nNot renewed, to be tried again later; the session would stay:\n  %v\n", err)
		return nil, err
	}
	was, is := held.Value(credential.RefreshToken), next.Value(credential.RefreshToken)
	fmt.Fprintf(t.stdout, "\nRenewed. The refresh token is %s.\n", map[bool]string{true: "the old one", false: "a new one"}[was.Equal(is)])
	t.ends(next)
	return next, nil
}

func (t *trial) logout(ctx context.Context, held *credential.Credential) error {
	t.title("sign-out")
	if !t.api.CanSignOut() {
		fmt.Fprintln(t.stdout, "The mapping has no logout: the token lives on at the API until it ends.")
		return nil
	}
	if err := t.api.SignOut(ctx, held, t.caller); err != nil {
		fmt.Fprintf(t.stdout, "\nThe API was not told:\n  %v\n", err)
		return errRefused
	}
	fmt.Fprintln(t.stdout, "\nTold. Whatever the API answers, the session here is gone.")
	return nil
}

func (t *trial) title(what string) { fmt.Fprintf(t.stdout, "\n== %s\n", what) }
