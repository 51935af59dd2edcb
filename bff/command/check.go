package command

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/read"
	"coatcheck/upstream/signin"
)

// Check reports every fault at once and, if online, what the store and the upstreams
// say. Warnings alone refuse nothing. Errors: [ErrRefused] or a [Failure].
func (p *Program) Check(ctx context.Context, name string, online bool) error {
	config, faults := read.File(name, p.Getenv)
	if config != nil {
		faults = append(faults, filesOf(config)...)
	}
	if p.Report(faults) > 0 {
		return ErrRefused
	}
	switch len(faults) { // all of them are warnings
	case 0:
		fmt.Fprintf(p.Stdout, "%s: OK\n", name)
	case 1:
		fmt.Fprintf(p.Stdout, "%s: OK, 1 warning\n", name)
	default:
		fmt.Fprintf(p.Stdout, "%s: OK, %d warnings\n", name, len(faults))
	}
	p.printWays(config)
	printRegistrations(p.Stdout, config)
	printAccounts(p.Stdout, config)
	if online {
		return p.online(ctx, config)
	}
	return nil
}

// canServe tries what serve will do with spa.dir.
func canServe(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return root.Close()
}

// filesOf checks what package configs does not open: the files that are named, the
// mappings as they compile, the store's URL. A missing file is a warning, because a
// configuration is often checked on another machine than the one that serves it; a file
// that exists and cannot be used is an error. Nothing is dialled.
func filesOf(config *configs.Config) (faults []configs.Fault) {
	add := func(path string, err error) {
		if err != nil {
			at := config.Source.At(path)
			faults = append(faults, configs.Fault{File: config.Source.File(), Line: at.Line, Column: at.Column, Path: path, Message: strings.TrimPrefix(err.Error(), "session: store: ")})
		}
	}
	missing := func(path, file string) bool {
		_, err := os.Stat(file)
		if file == "" || !errors.Is(err, os.ErrNotExist) {
			return false
		}
		add(path, fmt.Errorf("file not found: %s (serve will refuse to start)", file))
		faults[len(faults)-1].Warning = true
		return true
	}
	add("sessions.store", open.Check(config.Sessions.Store))
	either := func(a, b bool) bool { return a || b } // looks at both, unlike ||
	if t := config.TLS; t != nil && !either(missing("tls.cert", t.Cert), missing("tls.key", t.Key)) {
		_, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		add("tls", err)
	}
	ups := map[string]*configs.Upstream{}
	for _, name := range slices.Sorted(maps.Keys(config.Upstreams)) {
		u, path := *config.Upstreams[name], "upstreams."+name
		if missing(path+".ca", u.CA) {
			u.CA = ""
		}
		if either(missing(path+".client_cert", u.ClientCert), missing(path+".client_key", u.ClientKey)) {
			u.ClientCert, u.ClientKey = "", ""
		}
		ups[name] = &u
	}
	set, err := signin.New(ups, signin.Options{})
	add("upstreams", err)
	if err == nil {
		set.Close()
	}
	filesOfProviders(config, add, missing)
	for _, name := range slices.Sorted(maps.Keys(config.Frontends)) {
		if spa := config.Frontends[name].SPA; spa != nil {
			path := "frontends." + name + ".spa.dir"
			if spa.Dir != "" && !missing(path, spa.Dir) {
				add(path, canServe(spa.Dir))
			}
		}
	}
	return faults
}
