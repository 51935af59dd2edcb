package process

import (
	"context"
	"strings"
	"sync"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/apikey"
	"coatcheck/bff/auth"
	"coatcheck/bff/ratelimit"
	"coatcheck/bff/serviceaccount"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store"
	"coatcheck/bff/session/store/open"
	"coatcheck/configs"
)

// programs are what the process knows of programs that call, and the goroutine that
// keeps their keys.
type programs struct {
	*auth.Programs
	once sync.Once
	stop context.CancelFunc
	done chan struct{}
}

// openPrograms makes the rooms of programs over the store. Keys and limits are shared
// with other replicas where the store is; keys made at run time live in a Redis, or, with
// memory://, as long as the process.
func (p *Process) openPrograms(c *configs.Config, of store.Store, options session.Options) {
	var keys apikey.Store
	var limits ratelimit.Store
	prefix := c.Sessions.Prefix
	if scripts := open.ScriptsOf(of); scripts != nil {
		keys, limits = apikey.NewRedis(scripts, prefix), ratelimit.NewRedis(scripts, prefix)
	} else if strings.HasPrefix(c.Sessions.Store.Reveal(), "memory:") {
		keys = &apikey.Memory{}
	}
	table := apikey.NewTable(keys, c.Sessions.NearCache, apikey.Events{
		Failed: func(err error) { p.log.Warn("keys of programs not read", "error", err) },
		Ended: func(e apikey.Entry) {
			p.counts.Event("", "key", "ended")
			p.log.Info("security", "event", "key", "outcome", "ended", "caller", e.Caller, "key", e.ID)
			if p.server != nil {
				p.server.EndKey(e.ID)
			}
		},
		NearEnd: func(e apikey.Entry, left time.Duration) {
			p.counts.Event("", "key", "near_end")
			p.log.Warn("security", "event", "key", "outcome", "near_end", "caller", e.Caller, "key", e.ID, "left", left.Round(time.Hour).String())
		},
	})
	p.programs = &programs{Programs: auth.NewPrograms(table, limits, of, prefix), done: make(chan struct{})}
	p.programs.Accounts = serviceaccount.NewKeeper(serviceaccount.Options{Store: of, Session: options, Log: p.log,
		Event: func(outcome string) { p.counts.Event("", "account", outcome) }})
}

// keepKeys begins to compare the keys with the store's, once there are callers that may
// have any.
func (p *Process) keepKeys(c *configs.Config) {
	p.callers.Store(&c.Callers)
	for _, caller := range c.Callers {
		if caller.Kind() == configs.ByKey {
			p.programs.once.Do(func() {
				ctx, stop := context.WithCancel(context.Background())
				p.programs.stop = stop
				go func() { // ends with close
					defer close(p.programs.done)
					p.programs.Keys.Run(ctx)
				}()
			})
		}
	}
}

// close ends the keeping of keys and accounts; the last uses of keys are written, and
// renewals over, before it returns.
func (p *programs) close() error {
	p.once.Do(func() { close(p.done) })
	if p.stop != nil {
		p.stop()
	}
	<-p.done
	return p.Accounts.Close()
}

// administerKeys is what the admin listener needs for keys.
func (p *Process) administerKeys() *admin.Keys {
	return &admin.Keys{Table: p.programs.Keys, Event: func(event, outcome string) { p.counts.Event("", event, outcome) },
		Caller: func(name string) (time.Duration, bool) {
			c := (*p.callers.Load())[name]
			if c == nil || c.Kind() != configs.ByKey {
				return 0, false
			}
			return c.Expires, true
		}}
}
