package dev

import (
	"maps"
	"net"
	"slices"

	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// offLoopback returns a fault for everything that other machines could reach, or that
// only they could: dev has no guard of production's, such as a store that outlives it.
func offLoopback(c *configs.Config) []configs.Fault {
	var faults []configs.Fault
	refuse := func(path, message, hint string) {
		at := c.Source.At(path)
		faults = append(faults, configs.Fault{File: c.Source.File(), Line: at.Line, Column: at.Column, Path: path, Message: message, Hint: hint})
	}
	for _, l := range []struct{ path, address, hint string }{
		{"listen", c.Listen, usualListen}, {"admin.listen", c.Admin.Listen, usualAdmin},
	} {
		if host, port, err := net.SplitHostPort(l.address); err != nil || !rule.IsLoopback(host) {
			if host, _, _ := net.SplitHostPort(l.hint); port != "" {
				l.hint = net.JoinHostPort(host, port)
			}
			refuse(l.path, "dev serves this machine only", l.hint+", or `coatcheck serve`")
		}
	}
	local := slices.ContainsFunc(slices.Collect(maps.Values(c.Frontends)), func(f *configs.Frontend) bool {
		return f.IsDoor() || slices.ContainsFunc(f.Origins, isLocal)
	})
	if !local {
		refuse("frontends", "no frontend has an origin on this machine", "origins: [\"http://"+usualListen+"\"]")
	}
	return faults
}

// isLocal reports whether an origin's pages are opened on this machine.
func isLocal(origin string) bool { return rule.IsLoopback(rule.OriginHost(origin)) }
