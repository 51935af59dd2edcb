package main

import (
	"errors"
	"fmt"

	"coatcheck/configs"
	"coatcheck/upstream"
)

// reload rereads the configuration. A faulty file, or a change of what cannot change
// while connections live, changes nothing.
func (h *house) reload() {
	if h.certificate != nil {
		h.certificate.again()
	}
	next, faults := h.load()
	for _, f := range faults {
		h.log.Warn("configuration", "fault", f.String())
	}
	err := h.replace(next)
	if next == nil {
		err = errors.New("the file has faults")
	}
	if err != nil {
		h.counts.Event("", "configuration", "kept")
		h.log.Error("security", "event", "configuration", "outcome", "kept", "error", err)
		return
	}
	h.counts.Event("", "configuration", "changed")
	h.log.Warn("security", "event", "configuration", "outcome", "changed")
}

func (h *house) replace(next *configs.Config) error {
	if next == nil {
		return nil
	}
	if err := fixed(h.config, next); err != nil {
		return err
	}
	options, err := h.sessionOptions(next)
	if err != nil {
		return err
	}
	ups, err := upstream.New(next.Upstreams, upstream.Options{})
	if err != nil {
		return err
	}
	if err := h.server.Reload(next, ups); err != nil {
		ups.Close()
		return err
	}
	if err := h.manager.Reconfigure(options); err != nil {
		return err
	}
	h.level.Set(levelOf(next.Log.Level))
	h.token.Store(&next.Admin.Token)
	h.upstreams.Close() // what is idle; calls at work finish
	h.config, h.upstreams = next, ups
	return nil
}

// fixed names what a reload cannot change.
func fixed(old, next *configs.Config) error {
	for name, same := range map[string]bool{
		"listen":          old.Listen == next.Listen,
		"tls":             (old.TLS == nil) == (next.TLS == nil) && (old.TLS == nil || *old.TLS == *next.TLS),
		"admin.listen":    old.Admin.Listen == next.Admin.Listen,
		"sessions.store":  old.Sessions.Store.Equal(next.Sessions.Store),
		"sessions.prefix": old.Sessions.Prefix == next.Sessions.Prefix,
	} {
		if !same {
			return fmt.Errorf("%s cannot change while serving; restart", name)
		}
	}
	return nil
}
