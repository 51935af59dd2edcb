// Package routing decides what a request is for: which frontend, what the path means
// there, and whether the frontend's own pages made it.
//
// [Table.Decide] is the whole decision, from the path to the method. It reads a [Request] and a [Table], asks nobody, and changes
// nothing, so that the server and the command explain can both call it: what explain
// says is what serve does.
//
// A [Table] is a configuration made ready. It never changes; a reload makes another.
// Rooms that hold something of their own for each frontend or route (counters, files,
// connections) keep slices beside it, by Index.
package routing

import (
	"bytes"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"coatcheck/configs"
)

// Options are what the configuration does not say.
type Options struct {
	// Closed finds the test for paths of an upstream that no route may reach: a page
	// that could call the sign-in path would mint itself a token. Required.
	Closed func(upstream string) func(path []byte) bool
	// HasPages, if set, reports that the process brings files for a frontend itself.
	HasPages func(frontend string) bool
}

// Table is a configuration made ready to be served.
type Table struct {
	// Frontends and Routes, each at its Index.
	Frontends []*Frontend
	Routes    []*Route

	config       *configs.Config
	hosts        map[string]*Host
	below        map[string]*Host // of patterns, by what stands behind the star
	trusted      []netip.Prefix
	encodedSlash bool // some route lets %2F pass
}

// New makes a table of a configuration that package configs/read accepted.
func New(c *configs.Config, o Options) (*Table, error) {
	t := &Table{config: c, hosts: map[string]*Host{}, below: map[string]*Host{}, trusted: c.TrustedProxies}
	for _, name := range slices.Sorted(maps.Keys(c.Frontends)) {
		if err := t.addFrontend(name, c.Frontends[name], o); err != nil {
			return nil, err
		}
	}
	for _, hosts := range []map[string]*Host{t.hosts, t.below} {
		for _, h := range hosts {
			h.share()
			h.hsts = h.strictest()
		}
	}
	return t, nil
}

// strictest is the Strict-Transport-Security of a host whose frontend is not known: the
// longest of its frontends. Browsers remember it by host, so that each of them speaks for
// all. A host that is called by plain http, too, has none.
func (h *Host) strictest() string {
	longest := time.Duration(0)
	for _, f := range h.Frontends {
		if !f.Config.IsHTTPS() {
			return ""
		}
		longest = max(longest, f.Config.HSTS)
	}
	if longest <= 0 {
		return ""
	}
	return maxAge(longest)
}

func (t *Table) host(name string) *Host {
	hosts := t.hosts
	if base, is := strings.CutPrefix(name, "*."); is {
		hosts, name = t.below, base
	}
	if hosts[name] == nil {
		hosts[name] = &Host{}
	}
	return hosts[name]
}

// hostOf finds the host that is called, in lower case: one that is listed, or else one that
// a pattern means; nil where no frontend lives there.
func (t *Table) hostOf(name []byte) *Host {
	if h := t.hosts[string(name)]; h != nil || len(t.below) == 0 {
		return h
	}
	_, base, _ := bytes.Cut(name, []byte{'.'})
	h := t.below[string(base)]
	if h == nil || h.Frontends[0].patternAt(name) == nil {
		return nil // the label is none
	}
	return h
}

// Config is the configuration that the table was made of.
func (t *Table) Config() *configs.Config { return t.config }

// Frontend finds a frontend by its name; nil where there is none.
func (t *Table) Frontend(name string) *Frontend {
	at, found := slices.BinarySearchFunc(t.Frontends, name, func(f *Frontend, name string) int {
		switch {
		case f.Name < name:
			return -1
		case f.Name > name:
			return 1
		}
		return 0
	})
	if !found {
		return nil
	}
	return t.Frontends[at]
}

// Hosts are the names under which calls may come, sorted.
func (t *Table) Hosts() []string {
	list := slices.Sorted(maps.Keys(t.hosts))
	for _, base := range slices.Sorted(maps.Keys(t.below)) {
		list = append(list, "*."+base)
	}
	return list
}
