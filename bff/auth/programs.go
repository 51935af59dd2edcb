package auth

import (
	"maps"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/apikey"
	"coatcheck/bff/call"
	"coatcheck/bff/problem"
	"coatcheck/bff/ratelimit"
	"coatcheck/bff/serviceaccount"
	"coatcheck/bff/session/store"
	"coatcheck/bff/signature"
	"coatcheck/configs"
)

// unverified bounds how many bytes of bodies are held whose signature is not verified
// yet, over all calls of the process.
const unverified = 32 << 20

// Programs is what a process knows of programs that call, whatever configuration is in
// use: their keys, how often they called, and which events came before.
type Programs struct {
	// Keys are the keys that are known, Limits how often each caller called.
	Keys   *apikey.Table
	Limits *ratelimit.Limiter
	// Accounts are what calls go out with, where Coatcheck signs in itself.
	Accounts *serviceaccount.Keeper
	// Budget bounds the bodies that are held until they are verified.
	Budget *signature.Budget

	counters store.Counters
	prefix   string
	told     call.Pace // of lines about refusals
}

// NewPrograms returns what a process knows at first: nothing. counters and prefix are
// the store's; keys and limits are where the other replicas keep theirs, nil where there
// are none. Without counters no event can be remembered, and each is refused. Until
// Accounts is set no account can sign in.
func NewPrograms(keys *apikey.Table, limits ratelimit.Store, counters store.Counters, prefix string) *Programs {
	if prefix == "" {
		prefix = "coatcheck"
	}
	return &Programs{Keys: keys, Limits: ratelimit.New(limits), Budget: signature.NewBudget(unverified), counters: counters, prefix: prefix,
		Accounts: serviceaccount.NewKeeper(serviceaccount.Options{})}
}

// Programs is what the process knows of programs.
func (k *Callers) Programs() *Programs { return k.programs }

// Use takes the keys of a configuration into use, and forgets limits of callers that it
// does not name.
func (p *Programs) Use(c *configs.Config) {
	p.Keys.SetFile(c.KeyHashes())
	p.Keys.SetCallers(func(name string) bool { return c.Callers[name] != nil && c.Callers[name].Kind() == configs.ByKey })
	p.Limits.Keep(func(name string) bool { return c.Callers[name] != nil })
	p.Accounts.Keep(func(name string) bool {
		upstream, account, _ := strings.Cut(name, "/")
		u := c.Upstreams[upstream]
		return u != nil && u.Accounts[account] != nil
	})
}

// caller is a [configs.Caller] made ready.
type caller struct {
	name     string
	config   *configs.Caller
	verifier *signature.Verifier // nil: it does not sign
	claims   *signature.Claims   // nil: it has no tokens of a provider
	places   apikey.Places
	limit    ratelimit.Limit
	limited  bool
	policy   string
}

// Callers identifies the programs that one configuration names: by a key, a token of a
// provider, or a signature.
type Callers struct {
	events     call.Events
	programs   *Programs
	byName     map[string]*caller
	tokens     map[string]Tokens // by provider
	tokenNames []string          // of callers with tokens, sorted
}

func newCallers(c *configs.Config, providers map[string]Method, events call.Events, programs *Programs) *Callers {
	k := &Callers{events: events, programs: programs, byName: compileCallers(c), tokens: map[string]Tokens{}}
	for name, p := range providers {
		if t, verifies := p.(Tokens); verifies {
			k.tokens[name] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(k.byName)) {
		if k.byName[name].claims != nil {
			k.tokenNames = append(k.tokenNames, name)
		}
	}
	return k
}

// compileCallers makes the callers of a configuration, which has been checked.
func compileCallers(c *configs.Config) map[string]*caller {
	all := map[string]*caller{}
	for _, name := range slices.Sorted(maps.Keys(c.Callers)) {
		config := c.Callers[name]
		one := &caller{name: name, config: config, places: config.Places()}
		if one.limit, one.limited = config.Rate(); one.limited {
			one.policy = one.limit.PolicyHeader()
		}
		switch config.Kind() {
		case configs.BySignature:
			one.verifier, _ = signature.Compile(config.Scheme(name)) // checked: faults are warnings
		case configs.ByToken:
			one.claims, _ = signature.CompileClaims(configs.Lines(config.Token.Admit)) // checked
		}
		all[name] = one
	}
	return all
}

// unknown refuses a call that does not prove which program makes it.
func (k *Callers) unknown(c *call.Call, why string) error {
	k.note(c, "unknown", why)
	return problem.CallerUnknown.Because(why)
}

// notAllowed refuses a call that its program may not make.
func (k *Callers) notAllowed(c *call.Call, why string) error {
	k.note(c, "not_allowed", why)
	return problem.CallerNotAllowed.Because(why)
}

// note tells of a program that was refused: counted always, and a line once a second at
// most, because strangers can cause it at will. why is for the log.
func (k *Callers) note(c *call.Call, outcome, why string) {
	k.events.Metrics.Event(c.Frontend().Name, "caller", outcome)
	if !k.programs.told.IsDue(time.Now(), call.EventInterval) {
		return
	}
	attrs := []any{"event", "caller", "outcome", outcome, "request_id", string(c.ID), "frontend", c.Frontend().Name,
		"address", c.Request.Client.String(), "reason", why}
	if c.Program.Name != "" {
		attrs = append(attrs, "caller", c.Program.Name)
	}
	k.events.Log.Info("security", attrs...)
}
