package process

import (
	"context"
	"errors"
	"os"
	"time"
)

// drain lets load balancers look away, then lets calls finish. A second signal ends it.
func (p *Process) drain(signals <-chan os.Signal) {
	ctx, cancel := context.WithTimeout(context.Background(), p.config.Drain.Delay+p.config.Drain.Timeout)
	defer cancel()
	go func() { // ends with the drain
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	p.draining.Store(true)
	p.supervisor.stopping(p.config.Drain.Delay + p.config.Drain.Timeout + lastSpans)
	p.server.MarkNotReady()
	p.log.Info("draining", "delay", p.config.Drain.Delay.String(), "timeout", p.config.Drain.Timeout.String())
	select {
	case <-time.After(p.config.Drain.Delay):
	case <-ctx.Done():
	}
	if err := p.server.Shutdown(ctx); err != nil {
		p.log.Warn("calls were cut off", "error", err)
	}
	p.ends, _ = ctx.Deadline()
	if ctx.Err() != nil {
		p.ends = time.Now()
	}
}

const (
	lastSpans  = 5 * time.Second // how long the end waits for the collector
	leastStore = time.Second     // and for the store, where drain.timeout is over
)

// closePrograms and closeManager wait for renewals at work as long as drain.timeout
// lasts: one that hangs must not keep the process. What a renewal has stored is safe.
func (p *Process) closePrograms() error { return p.closeInTime(p.programs.close) }

func (p *Process) closeManager() error { return p.closeInTime(p.manager.Close) }

func (p *Process) closeInTime(end func() error) error {
	closed := make(chan error, 1)
	go func() { closed <- end() }() // ends with the last renewal, or with the process
	select {
	case err := <-closed:
		return err
	case <-time.After(max(time.Until(p.ends), leastStore)):
		p.log.Warn("refreshes were cut off")
		return nil
	}
}

// close ends the rooms, the highest first.
func (p *Process) close() error {
	err := errors.Join(closeIf(p.admin != nil, func() error { return p.admin.Close() }),
		closeIf(p.programs != nil, p.closePrograms),
		closeIf(p.manager != nil, p.closeManager))
	if p.upstreams != nil {
		p.upstreams.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastSpans)
	defer cancel()
	if lost := p.tracer.Close(ctx); lost != nil {
		p.log.Warn("traces cannot be sent to the collector")
	}
	p.log.Info("ended")
	return errors.Join(err, p.lines.Close())
}

func closeIf(there bool, f func() error) error {
	if !there {
		return nil
	}
	return f()
}
