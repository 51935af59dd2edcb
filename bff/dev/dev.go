// Package dev serves a configuration on one's own machine: with a log for people, the
// addresses to open, and a reload whenever the file changes. What a file needs only in
// production, a store and a key, is made up where it is missing. It serves nobody else:
// what would be reached from another machine is refused.
package dev

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"coatcheck/bff/command"
	"coatcheck/bff/process"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// usualListen and usualAdmin are where is served what the file says nothing of.
const (
	usualListen = "localhost:8080"
	usualAdmin  = "127.0.0.1:9090"
)

// Options are what is served.
type Options struct {
	// File is the configuration.
	File string
	// Version and Commit of the program.
	Version, Commit string
}

// Run serves until ctx ends or a signal comes. Errors: [command.ErrRefused] where the
// configuration has faults, or a [command.Failure].
func Run(ctx context.Context, p *command.Program, o Options) error {
	s := &site{program: p, file: o.File, key: command.NewKey(), admin: freeAdmin()}
	config, faults := s.load()
	p.Report(faults)
	if configs.Refused(faults) {
		return command.ErrRefused
	}
	log := &humanLog{out: p.Stderr, paint: terminal.Of(p.Stderr, p.Getenv)}
	log.served = func(admin string) {
		fmt.Fprint(p.Stdout, welcome(terminal.Of(p.Stdout, p.Getenv), o.File, config, admin, s.stood))
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan struct{})
	go watch(watching, o.File, changed) // ends with watching
	return command.Failed(process.Serve(ctx, process.Options{Config: config, Load: s.load, Changed: changed, Getenv: p.Getenv, Log: log,
		Version: o.Version, Commit: o.Commit}, nil))
}

// freeAdmin is the usual address of the admin listener, or any port where another
// process has that one: two that are served side by side need no line for it.
func freeAdmin() string {
	l, err := net.Listen("tcp", usualAdmin)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = l.Close()
	return usualAdmin
}

// site is a configuration file and what stands in for what it leaves out.
type site struct {
	program          *command.Program
	file, key, admin string   // key and admin stay the same over reloads: people stay signed in
	stood            []string // keys that were stood in for, when last read
}

// load reads the file, and refuses what other machines could reach.
func (s *site) load() (*configs.Config, []configs.Fault) {
	config, faults := s.read(usualListen)
	if config == nil {
		return nil, faults
	}
	if listen := whereOpened(config); slices.Contains(s.stood, "listen") && listen != usualListen {
		config, faults = s.read(listen)
	}
	if off := offLoopback(config); len(off) > 0 {
		return nil, append(faults, off...)
	}
	return config, faults
}

func (s *site) read(listen string) (*configs.Config, []configs.Fault) {
	config, faults, stood := read.ForDevelopment(s.file, s.program.Getenv, read.Development{Listen: listen, Admin: s.admin, Store: "memory://", Key: s.key})
	s.stood = slices.DeleteFunc(stood, func(path string) bool { return path == "admin.listen" }) // its address is printed
	return config, faults
}

// whereOpened is the address at which the first page on this machine is opened.
func whereOpened(c *configs.Config) string {
	for _, name := range slices.Sorted(maps.Keys(c.Frontends)) {
		for _, origin := range c.Frontends[name].Origins {
			if address, plain := strings.CutPrefix(origin, "http://"); plain && isLocal(origin) {
				if _, _, err := net.SplitHostPort(address); err == nil {
					return "localhost" + address[strings.LastIndexByte(address, ':'):]
				}
			}
		}
	}
	return usualListen
}
