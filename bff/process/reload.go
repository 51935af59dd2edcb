package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream/signin"
)

// Why a reload changes nothing, where its faults have lines of their own.
var (
	errFaulty = errors.New("the configuration has faults")
	errUnset  = errors.New("the configuration has faults: a running process does not see variables that were set after its start; " +
		"put the value into a file and write ${file:PATH}, or restart")
)

// reload rereads the configuration and the certificate. If either cannot be used, or a
// key differs that a running process cannot change, nothing changes.
func (p *Process) reload() {
	next, faults := p.load()
	for _, f := range faults {
		p.log.Warn("configuration", "fault", f.String())
	}
	err := p.replace(next)
	if next == nil && slices.ContainsFunc(faults, func(f configs.Fault) bool { return f.Unset }) {
		err = errUnset
	}
	if err != nil {
		p.counts.Event("", "configuration", "kept")
		p.log.Error("security", "event", "configuration", "outcome", "kept", "error", err)
		return
	}
	p.counts.Event("", "configuration", "changed")
	level := levelOf(next.Log.Level)
	p.level.Set(min(level, p.level.Level())) // the line is for those who saw INFO before, too
	p.log.Info("security", "event", "configuration", "outcome", "changed")
	p.level.Set(level)
}

// replace makes every room ready for the next configuration, which may fail, and only
// then lets each take it into use, which cannot.
func (p *Process) replace(next *configs.Config) error {
	if next == nil {
		return errFaulty
	}
	if keys := configs.NeedRestart(p.config, next); len(keys) > 0 {
		return fmt.Errorf("%s cannot change while serving; restart", strings.Join(keys, ", "))
	}
	ups, err := signin.New(next.Upstreams, signin.Options{Log: p.log})
	if err != nil {
		return err
	}
	uses, err := p.prepare(next, ups)
	if err != nil {
		ups.Close()
		return err
	}
	for _, use := range uses {
		use()
	}
	p.token.Store(&next.Admin.Token)
	p.upstreams.Close() // what is idle; calls at work finish
	p.config, p.upstreams = next, ups
	p.keepKeys(next)
	return nil
}

// prepare returns what takes the next configuration into use, room by room. The server
// comes last of those that can fail: what it makes ready is not undone.
func (p *Process) prepare(next *configs.Config, ups *signin.Set) (uses []func(), err error) {
	if p.certificate != nil {
		use, err := p.certificate.prepare()
		if err != nil {
			return nil, err
		}
		uses = append(uses, use)
	}
	options, err := p.sessionOptions(next)
	if err != nil {
		return nil, err
	}
	use, err := p.manager.Prepare(options)
	if err != nil {
		return nil, err
	}
	uses = append(uses, use)
	if use, err = p.programs.Accounts.Prepare(options); err != nil {
		return nil, err
	}
	uses = append(uses, use)
	if use, err = p.server.Prepare(next, ups); err != nil {
		return nil, err
	}
	return append(uses, use), nil
}
