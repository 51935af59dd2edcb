package process

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// Run serves until ctx ends, a SIGTERM or an interrupt comes, or a listener fails; then it
// drains for drain.delay and drain.timeout at most and closes every room. SIGHUP reloads.
// The error is what failed, a close included; nil after an orderly end.
func (p *Process) Run(ctx context.Context) error {
	signal.Ignore(syscall.SIGPIPE) // a log whose reader has gone must not end the process
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	hangup := make(chan os.Signal, 1)
	if p.load != nil {
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
	}
	failed := make(chan error, 2)
	go func() { failed <- p.server.Serve(p.public) }()   // ends with Shutdown
	go func() { failed <- p.admin.Serve(p.operators) }() // ends with close
	watching, unwatch := context.WithCancel(context.Background())
	defer unwatch()
	if err := p.supervisor.watch(watching, urlOf(p.operators.Addr())); err != nil {
		p.log.Warn("watchdog", "error", err)
	}
	p.supervisor.ready()
	for {
		select {
		case err := <-failed:
			return errors.Join(err, p.close())
		case <-hangup:
			p.supervisor.reloading()
			p.reload()
			p.supervisor.ready()
			continue
		case <-p.changed:
			p.reload()
			continue
		case <-ctx.Done():
		case <-signals:
		}
		p.drain(signals)
		return p.close()
	}
}
