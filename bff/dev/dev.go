// Package dev serves a configuration on one's own machine: with a log for people, the
// addresses to open, and a reload whenever the file changes. What a file needs only in
// production, a store and a key, is made up where it is missing. It serves nobody else:
// what would be reached from another machine is refused.
package dev

import (
	"context"
	"fmt"

	"coatcheck/bff/command"
	"coatcheck/bff/process"
	"coatcheck/bff/terminal"
	"coatcheck/configs"
	"coatcheck/configs/read"
)

// usualListen is where pages are served where the file does not say.
const usualListen = "localhost:8080"

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
	s := &site{program: p, file: o.File, key: command.NewKey()}
	config, faults := s.load()
	p.Report(faults)
	if configs.Refused(faults) {
		return command.ErrRefused
	}
	log := &humanLog{out: p.Stderr, paint: terminal.Of(p.Stderr, p.Getenv)}
	log.served = func() { fmt.Fprint(p.Stdout, welcome(terminal.Of(p.Stdout, p.Getenv), o.File, config, s.stood)) }
	watching, stop := context.WithCancel(ctx)
	defer stop()
	changed := make(chan struct{})
	go watch(watching, o.File, changed) // ends with watching
	return command.Failed(process.Serve(ctx, process.Options{Config: config, Load: s.load, Changed: changed, Getenv: p.Getenv, Log: log,
		Version: o.Version, Commit: o.Commit}, nil))
}

// site is a configuration file and what stands in for what it leaves out.
type site struct {
	program   *command.Program
	file, key string   // the key stays the same over reloads, so that people stay signed in
	stood     []string // keys that were stood in for, when last read
}

// load reads the file, and refuses what other machines could reach.
func (s *site) load() (*configs.Config, []configs.Fault) {
	config, faults, stood := read.ForDevelopment(s.file, s.program.Getenv, read.Development{Listen: usualListen, Store: "memory://", Key: s.key})
	s.stood = stood
	if config == nil {
		return nil, faults
	}
	if off := offLoopback(config); len(off) > 0 {
		return nil, append(faults, off...)
	}
	return config, faults
}
