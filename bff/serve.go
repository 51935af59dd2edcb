package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"coatcheck/bff/admin"
	"coatcheck/bff/credential"
	"coatcheck/bff/metrics"
	"coatcheck/bff/pages"
	"coatcheck/bff/server"
	"coatcheck/bff/session"
	"coatcheck/bff/trace"
	"coatcheck/configs"
	"coatcheck/upstream"
	"coatcheck/web"

	"github.com/urfave/cli/v3"
)

// serve serves a configuration until a signal.
func (p *program) serve(ctx context.Context, c *cli.Command) error {
	load := func() (*configs.Config, []configs.Fault) { return configs.Load(c.String("config"), p.getenv) }
	config, faults := load()
	if configs.Refused(faults) {
		p.report(faults)
		return errRefused
	}
	h, err := p.build(config, nil)
	if err != nil {
		return failure{err}
	}
	h.load = load
	for _, f := range faults { // warnings
		h.log.Warn("configuration", "fault", f.String())
	}
	if err := h.listen(); err != nil {
		return errors.Join(failure{err}, h.close())
	}
	version, _ := buildInfo()
	h.log.Info("serving", "listen", h.public.Addr().String(), "admin", h.operators.Addr().String(), "version", version)
	return h.run(ctx)
}

// house is all rooms of one running process.
type house struct {
	config      *configs.Config
	load        func() (*configs.Config, []configs.Fault) // again, for a reload; nil: there is none
	level       *slog.LevelVar
	token       atomic.Pointer[credential.Secret]
	lines       *lineWriter
	log         *slog.Logger
	counts      *metrics.Metrics
	tracer      *trace.Tracer
	manager     *session.Manager
	upstreams   *upstream.Set
	server      *server.Server
	admin       *http.Server
	public      net.Listener
	operators   net.Listener
	certificate *certificate
	draining    atomic.Bool
	supervisor  supervisor
	ends        time.Time // when the process should be over, once it drains
}

// build makes the rooms, floor by floor. Nothing is dialled: a store that is away
// comes back by itself.
func (p *program) build(config *configs.Config, builtIn map[string]*pages.Pages) (*house, error) {
	h := &house{config: config, level: new(slog.LevelVar), lines: newLineWriter(p.stderr), supervisor: supervisor{p.getenv}}
	h.level.Set(levelOf(config.Log.Level))
	h.log = newLog(h.lines, h.level)
	quiet := muteStandardLog(h.log)
	h.token.Store(&config.Admin.Token)
	options, err := h.sessionOptions(config)
	if err != nil {
		return nil, err
	}
	version, commit := buildInfo()
	counts := metrics.New(version, commit)
	h.counts = counts
	store, err := session.OpenStore(config.Sessions.Store, session.StoreOptions{Log: h.log, Observe: counts.Store})
	if err != nil {
		return nil, err
	}
	if h.manager, err = session.NewManager(store, options); err != nil {
		return nil, err
	}
	if h.upstreams, err = upstream.New(config.Upstreams, upstream.Options{}); err != nil {
		return nil, err
	}
	if h.tracer, err = trace.FromEnvironment(version, p.getenv, h.log); err != nil {
		return nil, err
	}
	if h.server, err = server.New(server.Options{Config: config, Tracer: h.tracer, Manager: h.manager, Upstreams: h.upstreams, Metrics: counts,
		Log: h.log, Access: h.lines, Client: web.Client(), Pages: builtIn}); err != nil {
		return nil, err
	}
	readSessions(counts, h.manager)
	readCarriers(counts, h.server)
	h.admin = &http.Server{Handler: admin.Handler(admin.Options{Manager: h.manager,
		Token:     func() credential.Secret { return *h.token.Load() },
		Providers: h.server.Providers,
		Draining:  h.draining.Load, Metrics: counts.Handler(), Log: h.log}), ReadHeaderTimeout: 5 * time.Second, ErrorLog: quiet}
	return h, nil
}

func (h *house) sessionOptions(config *configs.Config) (session.Options, error) {
	s := config.Sessions
	keys, err := openKeys(s.Keys)
	return session.Options{Keys: keys, Prefix: s.Prefix, IdleTimeout: s.IdleTimeout, MaxLifetime: s.MaxLifetime,
		NearCache: s.NearCache, MaxPerPerson: s.MaxPerPerson, Log: h.log, Orphaned: h.orphaned}, err
}

// orphaned hands a credential that came for a session that had ended back to whoever
// gave it.
func (h *house) orphaned(ctx context.Context, s *session.Session, c *credential.Credential) {
	if h.server != nil {
		h.server.SignOut(ctx, s, c)
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

// listen opens both listeners, and neither if one cannot be had.
func (h *house) listen() error {
	var err error
	if h.public, err = net.Listen("tcp", h.config.Listen); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if t := h.config.TLS; t != nil {
		if h.certificate, err = newCertificate(t.Cert, t.Key, h.log); err != nil {
			return errors.Join(err, h.public.Close())
		}
		h.public = tls.NewListener(h.public, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: h.certificate.get, NextProtos: []string{"http/1.1"}})
	}
	if h.operators, err = net.Listen("tcp", h.config.Admin.Listen); err != nil {
		return errors.Join(fmt.Errorf("admin.listen: %w", err), h.public.Close())
	}
	return nil
}

// run answers until ctx ends or a signal comes, then drains.
func (h *house) run(ctx context.Context) error {
	signal.Ignore(syscall.SIGPIPE) // a log whose reader has gone must not end the process
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	hangup := make(chan os.Signal, 1)
	if h.load != nil {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	failed := make(chan error, 2)
	go func() { failed <- h.server.Serve(h.public) }()   // ends with Shutdown
	go func() { failed <- h.admin.Serve(h.operators) }() // ends with close
	watching, unwatch := context.WithCancel(context.Background())
	defer unwatch()
	if err := h.supervisor.watch(watching, h.operators.Addr().String()); err != nil {
		h.log.Warn("watchdog", "error", err)
	}
	h.supervisor.ready()
	for {
		select {
		case err := <-failed:
			return errors.Join(failure{err}, h.close())
		case <-hangup:
			h.supervisor.reloading()
			h.reload()
			h.supervisor.ready()
			continue
		case <-ctx.Done():
		case <-signals:
		}
		h.drain(signals)
		return h.close()
	}
}

// drain lets load balancers look away, then lets calls finish. A second signal ends it.
func (h *house) drain(signals <-chan os.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), h.config.Drain.Delay+h.config.Drain.Timeout)
	defer cancel()
	go func() { // ends with the drain
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	h.draining.Store(true)
	h.supervisor.stopping(h.config.Drain.Delay + h.config.Drain.Timeout + lastSpans)
	h.server.MarkNotReady()
	h.log.Info("draining", "delay", h.config.Drain.Delay.String(), "timeout", h.config.Drain.Timeout.String())
	select {
	case <-time.After(h.config.Drain.Delay):
	case <-ctx.Done():
	}
	if err := h.server.Shutdown(ctx); err != nil {
		h.log.Warn("calls were cut off", "error", err)
	}
	h.ends, _ = ctx.Deadline()
	if ctx.Err() != nil {
		h.ends = time.Now()
	}
}

const (
	lastSpans  = 5 * time.Second // how long the end waits for the collector
	leastStore = time.Second     // and for the store, where drain.timeout is over
)

// closeManager waits for refreshes at work as long as drain.timeout lasts: one that
// hangs must not keep the process. What a refresh has stored is safe.
func (h *house) closeManager() error {
	closed := make(chan error, 1)
	go func() { closed <- h.manager.Close() }() // ends with the last refresh, or with the process
	select {
	case err := <-closed:
		return err
	case <-time.After(max(time.Until(h.ends), leastStore)):
		h.log.Warn("refreshes were cut off")
		return nil
	}
}

// close ends the rooms, the highest first.
func (h *house) close() error {
	err := errors.Join(closeIf(h.admin != nil, func() error { return h.admin.Close() }),
		closeIf(h.manager != nil, h.closeManager))
	if h.upstreams != nil {
		h.upstreams.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	if lost := h.tracer.Close(ctx); lost != nil {
		h.log.Warn("traces cannot be sent to the collector")
	}
	h.log.Info("ended")
	return errors.Join(err, h.lines.Close())
}

func closeIf(there bool, f func() error) error {
	if !there {
		return nil
	}
	return f()
}
