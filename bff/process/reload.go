package process

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"coatcheck/configs"
	"coatcheck/upstream"
)

// Why a reload changes nothing, where its faults have lines of their own.
var (
	errFaulty = errors.New("the configuration has faults")
	errUnset  = errors.New("the configuration has faults: a running process does not see variables that were set after its start; " +
		"put the value into a file and write ${file:PATH}, or restart")
)

// reload rereads the configuration and the certificate. If either cannot be used, or a
// key differs that a running process cannot change, nothing changes.
func (h *Process) reload() {
	next, faults := h.load()
	for _, f := range faults {
		h.log.Warn("configuration", "fault", f.String())
	}
	err := h.replace(next)
	if next == nil && slices.ContainsFunc(faults, func(f configs.Fault) bool { return f.Unset }) {
		err = errUnset
	}
	if err != nil {
		h.counts.Event("", "configuration", "kept")
		h.log.Error("security", "event", "configuration", "outcome", "kept", "error", err)
		return
	}
	h.counts.Event("", "configuration", "changed")
	level := levelOf(next.Log.Level)
	h.level.Set(min(level, h.level.Level())) // the line is for those who saw INFO before, too
	h.log.Info("security", "event", "configuration", "outcome", "changed")
	h.level.Set(level)
}

// replace makes every room ready for the next configuration, which may fail, and only
// then lets each take it into use, which cannot.
func (h *Process) replace(next *configs.Config) error {
	if next == nil {
		return errFaulty
	}
	if keys := configs.NeedRestart(h.config, next); len(keys) > 0 {
		return fmt.Errorf("%s cannot change while serving; restart", strings.Join(keys, ", "))
	}
	ups, err := upstream.New(next.Upstreams, upstream.Options{})
	if err != nil {
		return err
	}
	uses, err := h.prepare(next, ups)
	if err != nil {
		ups.Close()
		return err
	}
	for _, use := range uses {
		use()
	}
	h.token.Store(&next.Admin.Token)
	h.upstreams.Close() // what is idle; calls at work finish
	h.config, h.upstreams = next, ups
	return nil
}

// prepare returns what takes the next configuration into use, room by room. The server
// comes last of those that can fail: what it makes ready is not undone.
func (h *Process) prepare(next *configs.Config, ups *upstream.Set) (uses []func(), err error) {
	if h.certificate != nil {
		use, err := h.certificate.prepare()
		if err != nil {
			return nil, err
		}
		uses = append(uses, use)
	}
	options, err := h.sessionOptions(next)
	if err != nil {
		return nil, err
	}
	use, err := h.manager.Prepare(options)
	if err != nil {
		return nil, err
	}
	uses = append(uses, use)
	if use, err = h.server.Prepare(next, ups); err != nil {
		return nil, err
	}
	return append(uses, use), nil
}
