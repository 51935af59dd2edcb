// Package demo runs Coatcheck with all that stands around it, in one process: two
// applications, the API they call, and an attacker.
package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"coatcheck/bff/admin"
	"coatcheck/bff/command"
	"coatcheck/bff/credential"
	"coatcheck/bff/pages"
	"coatcheck/bff/process"
	"coatcheck/bff/terminal"
	demoapi "coatcheck/upstream/demo"
	"coatcheck/web"
)

// APIs are the names of the APIs that the demo can answer as.
func APIs() []string { return demoapi.Speaks() }

// Options say where the demo listens and what it stands in for.
type Options struct {
	// Listen is the address of the pages, Store the URL of the session store.
	Listen, Store string
	// API that the demo answers as, one of [APIs]; "": its own.
	API string
	// Version and Commit of the program.
	Version, Commit string
}

// pagesCSP lets the demo's pages do what they must and nothing else.
const pagesCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// Run runs everything in one process until ctx ends or a signal comes: an API on
// another origin, two frontends and Coatcheck between them, and an attacker's page
// beside them. Errors: [command.ErrRefused], a [command.Failure], or what is wrong with
// the options.
func Run(ctx context.Context, p *command.Program, o Options) error {
	if o.API != "" && !slices.Contains(APIs(), o.API) {
		return fmt.Errorf("the demo cannot answer as %q; it can as %s", o.API, strings.Join(APIs(), ", "))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	api, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return command.Failed(err)
	}
	public, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return command.Failed(listenError(o.Listen, err))
	}
	_, port, err := net.SplitHostPort(public.Addr().String())
	if err != nil {
		return command.Failed(err)
	}
	config, err := configure(p, o, port, api.Addr().String())
	if err != nil {
		return err
	}
	log := &callLog{out: p.Stderr, paint: terminal.Of(p.Stderr, p.Getenv)}
	coatcheck, err := process.New(process.Options{Config: config, Getenv: p.Getenv, Log: log, Pages: applications(), Version: o.Version, Commit: o.Commit})
	if err != nil {
		return command.Failed(err)
	}
	operators, err := net.Listen("tcp", config.Admin.Listen)
	if err != nil {
		return command.Failed(err)
	}
	sorted := newSorter(public, evilHost+":"+port)
	coatcheck.Use(sorted, operators)
	address := operators.Addr().String()
	var beside sync.WaitGroup
	beside.Go(func() {
		_ = demoapi.Serve(ctx, api, demoapi.Options{API: o.API, Revoke: revoker(address, config.Admin.Token)})
	}) // ends with ctx
	beside.Go(func() { serveEvil(ctx, sorted, port, log) }) // ends with ctx, or with sorted
	welcome{port: port, api: api.Addr().String(), admin: address, as: o.API, paint: terminal.Of(p.Stdout, p.Getenv)}.write(p.Stdout)
	err = coatcheck.Run(ctx)
	cancel()
	beside.Wait()
	return command.Failed(err)
}

func applications() map[string]*pages.Pages {
	files := &pages.Pages{Files: web.Demo(), CSP: pagesCSP}
	return map[string]*pages.Pages{"shop": files, "admin": files}
}

// revoker ends a person's sessions by the operators' interface, as a program of the
// API's owner would.
func revoker(address string, token credential.Secret) func(context.Context, demoapi.Person) error {
	return func(ctx context.Context, p demoapi.Person) error {
		query := url.Values{"frontend": {p.Frontend}, "subject": {p.ID}}
		r, err := http.NewRequestWithContext(ctx, http.MethodDelete, "http://"+address+"/admin/sessions?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
		answer, err := (&http.Client{Transport: admin.Direct}).Do(r)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("the operators' interface answered %d", answer.StatusCode)
		}
		return errors.Join(err, answer.Body.Close())
	}
}

// listenError says what to do where the demo's address is taken.
func listenError(address string, err error) error {
	if _, port, split := net.SplitHostPort(address); split == nil && errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %s is in use: try `coatcheck demo --listen localhost:%s`", port, nextPort(port))
	}
	return process.ListenError("--listen", address, err)
}

// nextPort is the port above, as a suggestion.
func nextPort(port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n >= 65535 {
		return "8081"
	}
	return strconv.FormatUint(n+1, 10)
}
