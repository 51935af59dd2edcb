// Package process is one running Coatcheck: it builds the rooms floor by floor, listens,
// rereads the configuration on SIGHUP, and drains on SIGTERM. It ends the rooms in the
// opposite order. The process speaks to a service manager if there is one (systemd), and
// writes its log from a goroutine of its own.
package process

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/credential"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	"coatcheck/bff/session/store/open"
	"coatcheck/bff/trace"
	"coatcheck/configs"
	"coatcheck/upstream/signin"
	"coatcheck/web"
)

// Serve serves a configuration until ctx ends or a signal comes; faults are its
// warnings. Every error is one of the work, not of the command line.
func Serve(ctx context.Context, o Options, faults []configs.Fault) error {
	p, err := New(o)
	if err != nil {
		return err
	}
	for _, f := range faults {
		p.log.Warn("configuration", "fault", f.String())
	}
	if err := p.listen(); err != nil {
		return errors.Join(err, p.close())
	}
	p.log.Info("serving", "listen", p.public.Addr().String(), "admin", p.operators.Addr().String(), "pages", homes(o.Config), "version", o.Version)
	return p.Run(ctx)
}

// homes are the addresses that people open.
func homes(c *configs.Config) []string {
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(c.Frontends)) {
		for _, origin := range c.Frontends[name].Origins {
			list = append(list, origin+c.Frontends[name].BasePath+"/")
		}
	}
	return list
}

// Options are what a process is made of.
type Options struct {
	// Config that the process begins with; it has been checked.
	Config *configs.Config
	// Load reads the configuration again, for a reload; nil: there is none.
	Load func() (*configs.Config, []configs.Fault)
	// Changed asks for a reload, as SIGHUP does; nil: nobody does.
	Changed <-chan struct{}
	// Getenv looks up a variable of the environment, as [os.LookupEnv] does.
	Getenv func(string) (string, bool)
	// Log takes the log: one JSON object on each line.
	Log io.Writer
	// Pages are built-in applications by frontend; nil: none.
	Pages map[string]*pages.Pages
	// Version and Commit of the program, for metrics, traces and the log.
	Version, Commit string
}

// listeners are where a process is reached.
type listeners struct{ public, operators net.Listener }

// Process is all rooms of one running process.
type Process struct {
	config    *configs.Config
	load      func() (*configs.Config, []configs.Fault) // again, for a reload; nil: there is none
	changed   <-chan struct{}                           // asks for a reload, as SIGHUP does
	level     *slog.LevelVar
	token     atomic.Pointer[credential.Secret]
	lines     *lineWriter
	log       *slog.Logger
	counts    *metrics.Metrics
	tracer    *trace.Tracer
	manager   *session.Manager
	upstreams *signin.Set
	programs  *programs
	server    *server.Server
	admin     *http.Server
	listeners
	certificate *certificate
	callers     atomic.Pointer[map[string]*configs.Caller]
	draining    atomic.Bool
	supervisor  supervisor
	ends        time.Time // when the process should be over, once it drains
}

// New makes the rooms, floor by floor. Nothing is dialled: a store that is away
// comes back by itself. Where one fails, those that were made before it are closed.
func New(o Options) (*Process, error) {
	config := o.Config
	p := &Process{config: config, load: o.Load, changed: o.Changed, level: new(slog.LevelVar), lines: newLineWriter(o.Log), supervisor: supervisor{o.Getenv}}
	p.level.Set(levelOf(config.Log.Level))
	p.log = newLog(p.lines, p.level)
	p.token.Store(&config.Admin.Token)
	if err := p.build(o); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

// build makes the rooms above the log.
func (p *Process) build(o Options) error {
	config, quiet := o.Config, muteStandardLog(p.log)
	options, err := p.sessionOptions(config)
	if err != nil {
		return err
	}
	counts := metrics.New(o.Version, o.Commit)
	p.counts = counts
	store, err := open.Store(config.Sessions.Store, open.Options{Log: p.log, Observe: counts.Store})
	if err != nil {
		return err
	}
	if p.manager, err = session.NewManager(store, options); err != nil {
		return errors.Join(err, store.Close())
	}
	p.openPrograms(config, store, options)
	if p.upstreams, err = signin.New(config.Upstreams, signin.Options{Log: p.log}); err != nil {
		return err
	}
	if p.tracer, err = trace.FromEnvironment(o.Version, o.Getenv, p.log); err != nil {
		return err
	}
	if p.server, err = server.New(server.Options{Config: config, Tracer: p.tracer, Manager: p.manager, Upstreams: p.upstreams, Metrics: counts, Programs: p.programs.Programs,
		Log: p.log, Access: p.lines, Client: web.Client(), Pages: o.Pages}); err != nil {
		return err
	}
	p.keepKeys(config)
	AddReadings(counts, p.manager, p.server, p.programs.Programs)
	p.admin = &http.Server{Handler: admin.Handler(admin.Options{Manager: p.manager,
		Token:     func() credential.Secret { return *p.token.Load() },
		Providers: p.server.Providers, Keys: p.administerKeys(),
		Draining: p.draining.Load, Metrics: counts.Handler(), Log: p.log}), ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet}
	return nil
}

func (p *Process) sessionOptions(config *configs.Config) (session.Options, error) {
	s := config.Sessions
	keys, err := openKeys(s.Keys)
	return session.Options{Keys: keys, Prefix: s.Prefix, IdleTimeout: s.IdleTimeout, MaxLifetime: s.MaxLifetime,
		NearCache: s.NearCache, MaxPerPerson: s.MaxPerPerson, Log: p.log, Orphaned: p.orphaned}, err
}

// orphaned hands a credential that came for a session that had ended back to whoever
// gave it.
func (p *Process) orphaned(ctx context.Context, s *session.Session, c *credential.Credential) {
	if p.server != nil {
		p.server.SignOut(ctx, s, c)
	}
}

// openKeys turns the configured texts into key bytes.
func openKeys(keys []credential.Secret) ([]credential.Secret, error) {
	var opened []credential.Secret
	for _, k := range keys {
		b, err := configs.KeyBytes(k)
		if err != nil {
			return nil, err
		}
		opened = append(opened, credential.NewSecret(string(b)))
	}
	return opened, nil
}
